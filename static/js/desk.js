// Keeps the desk's numbers fresh and says when a queue has something new. Pages work without it.

const SECONDS = 5;
const root = document.querySelector('[data-desk]');

async function ask() {
  const asked = new URL(root.dataset.desk, location.href);
  if (root.dataset.deskQueue) {
    asked.searchParams.set('queue', root.dataset.deskQueue);
    asked.searchParams.set('after', root.dataset.deskAfter);
  }
  const answer = await fetch(asked, { headers: { Accept: 'application/json' }, redirect: 'error' });
  if (!answer.ok) throw new Error(`news: ${answer.status}`);
  show(await answer.json());
}

function show({ counts, news }) {
  for (const place of document.querySelectorAll('[data-desk-count]')) {
    const text = counts[place.dataset.deskCount];
    if (text === undefined || text === place.textContent) continue;
    place.textContent = text;
  }
  const link = root.querySelector(':scope > a');
  // Only the words change: what is selected in the list stays so until somebody asks for the new ones.
  if (root.dataset.deskQueue && link && link.textContent !== news) {
    link.textContent = news;
    link.hidden = !news;
  }
}

async function watch() {
  let pause = SECONDS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    if (document.hidden) continue;
    try {
      await ask();
      pause = SECONDS;
    } catch {
      pause = Math.min(pause * 2, 60); // away or signed out: the page stays as it is
    }
  }
}

if (root) watch();
