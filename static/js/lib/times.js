/** Instants as people read them: a time today, a weekday this week, else a date. */

const DAY_MS = 86_400_000;

/** Formatters for one locale and, in tests, one time zone. `now` is a function so that days can turn. */
export function makeTimes(locale, { timeZone, now = () => new Date() } = {}) {
  const format = (options) => {
    const formatter = new Intl.DateTimeFormat(locale, { timeZone, ...options });
    return (iso) => formatter.format(new Date(iso));
  };
  const stamp = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const weekday = format({ weekday: "short" });
  const shortDate = format({ day: "numeric", month: "short" });
  const date = format({ day: "numeric", month: "long" });
  const longDate = format({ weekday: "long", day: "numeric", month: "long" });
  const fullDate = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

  /** The day an instant falls on here, as YYYY-MM-DD. */
  const dayOf = (iso) => stamp.format(new Date(iso));
  const daysAgo = (iso) => Math.round((Date.parse(dayOf(now())) - Date.parse(dayOf(iso))) / DAY_MS);
  const sameYear = (iso) => dayOf(iso).slice(0, 4) === dayOf(now()).slice(0, 4);

  return {
    clock,
    date,
    dayOf,
    /** The label of a day's separator. */
    day(iso) {
      if (daysAgo(iso) === 0) return "Today";
      return sameYear(iso) ? longDate(iso) : fullDate(iso);
    },
    /** In a list, beside a name. */
    when(iso) {
      const ago = daysAgo(iso);
      if (ago <= 0) return clock(iso);
      return ago < 7 ? weekday(iso) : shortDate(iso);
    },
    /** On hover. */
    exact: (iso) => `${fullDate(iso)}, ${clock(iso)}`,
    /** Since when, with the day where it is not today. */
    since: (iso) => (daysAgo(iso) === 0 ? clock(iso) : `${longDate(iso)}, ${clock(iso)}`),
  };
}

/** The reader's own region where it speaks the page's language: it decides about 12 or 24 hours. */
export function chooseLocale(pageLanguage, wanted) {
  const match = wanted.find((tag) => tag.split("-")[0] === pageLanguage.split("-")[0] && tag.includes("-"));
  return match ?? (pageLanguage === "en" ? "en-GB" : pageLanguage);
}
