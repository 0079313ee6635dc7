"""`validate` of a campaign of 10,000 rows × 4 steps, against a plain script that does the least that must be done.

The floor reads the CSV, renders the same values with compiled Jinja templates, and calls one jsonschema validator per
row over everything that was rendered. Goal: at most 1.5 × its CPU time, peak memory under 400 MB.

    python tests/benchmarks/validate_campaign.py [rows]
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from pathlib import Path

from measure import measured, report

JOB = """\
version: 1
name: campaign
provider: heygen
vars:
  voice: {en-US: sandbox-anna, es-ES: sandbox-clara}
foreach:
  row:
    from: people.csv
    key: customer_id
    schema: people.schema.json
steps:
  - id: speak
    uses: speech
    with:
      voice: ${{ vars.voice[row.lang] }}
      language: ${{ row.lang }}
      text: |
        Hello ${{ row.first_name }}, your plan renews in ${{ row.days | int }} days.
  - id: clip
    uses: video
    with:
      avatar: ${{ row.avatar }}
      voice: ${{ vars.voice[row.lang] }}
      script: |
        Hello ${{ row.first_name }} from ${{ row.city }}, your plan ends in ${{ row.days }} days.
      title: Renewal ${{ row.customer_id }}
      aspect_ratio: "9:16"
      resolution: 1080p
  - id: dub
    uses: translate
    with:
      video: ${{ steps.clip.outputs.video }}
      language: ${{ row.lang }}
      title: Renewal ${{ row.customer_id }}
  - id: save
    uses: download
    with:
      from: ${{ steps.dub.outputs.video }}
      to: out/${{ row.customer_id }}.${{ row.lang }}.mp4
"""
ROW_SCHEMA = {
    "type": "object",
    "required": ["customer_id", "first_name", "days", "lang"],
    "additionalProperties": False,
    "properties": {
        "customer_id": {"type": "string", "pattern": "^C-[0-9]{6}$"},
        "first_name": {"type": "string", "minLength": 1},
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1},
        "lang": {"enum": ["en-US", "es-ES"]},
        "avatar": {"type": "string"},
    },
}
COLUMNS = ["customer_id", "first_name", "city", "days", "lang", "avatar"]

FLOOR = """\
import csv, json, sys
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator

env = ImmutableSandboxedEnvironment(variable_start_string="${{", undefined=StrictUndefined)
text = {"type": "string", "minLength": 1}
voices = {"en-US": "sandbox-anna", "es-ES": "sandbox-clara"}
templates = {
    "speak.voice": "${{ vars.voice[row.lang] }}",
    "speak.language": "${{ row.lang }}",
    "speak.text": "Hello ${{ row.first_name }}, your plan renews in ${{ row.days | int }} days.",
    "clip.avatar": "${{ row.avatar }}",
    "clip.voice": "${{ vars.voice[row.lang] }}",
    "clip.script": "Hello ${{ row.first_name }} from ${{ row.city }}, your plan ends in ${{ row.days }} days.",
    "clip.title": "Renewal ${{ row.customer_id }}",
    "dub.language": "${{ row.lang }}",
    "dub.title": "Renewal ${{ row.customer_id }}",
    "save.to": "out/${{ row.customer_id }}.${{ row.lang }}.mp4",
}
compiled = {name: env.from_string(template) for name, template in templates.items()}
validator = Draft202012Validator({
    "type": "object", "required": sorted(templates), "additionalProperties": False,
    "properties": {name: text for name in templates},
})
seen = set()
for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8-sig")):
    names = {"row": row, "vars": {"voice": voices}}
    rendered = {name: template.render(names) for name, template in compiled.items()}
    for error in validator.iter_errors(rendered):
        print(error.message)
    assert row["customer_id"] not in seen
    seen.add(row["customer_id"])
"""


def main() -> None:
    """Write the campaign, measure both, print the ratio."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "job.yaml").write_text(JOB)
        (place / "people.schema.json").write_text(json.dumps(ROW_SCHEMA))
        with (place / "people.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for number in range(rows):
                writer.writerow(
                    [f"C-{number:06}", f"Name {number}", "Basel", 1 + number % 90, ("en-US", "es-ES")[number % 2], "a1"]
                )
        (place / "floor.py").write_text(FLOOR)
        floor = measured([sys.executable, str(place / "floor.py"), str(place / "people.csv")])
        ours = measured([sys.executable, "-m", "callsheet", "validate", str(place / "job.yaml")])
        report("validate", ours, floor, goal=1.5)
        print(f"peak memory {ours.peak_mb:.0f} MB (goal: under 400)")


if __name__ == "__main__":
    main()
