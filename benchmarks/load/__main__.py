"""``python -m benchmarks.load``: one scenario; the job comes as JSON on stdin, the figures go to stdout."""

import json
import sys

import uvloop

from benchmarks.load.scenarios import SCENARIOS, Job


def main() -> None:
    request = json.load(sys.stdin)
    scenario = SCENARIOS[request.pop("scenario")]
    figures = uvloop.run(scenario(Job(**request)))
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
