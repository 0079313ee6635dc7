"""The plugin's own tests: the contract, and what the operation makes."""

from pathlib import Path

import callsheet_acme

from callsheet.testing import check_operation, run_job

JOB = """
version: 1
name: captions
steps:
  - id: caption
    uses: acme/subtitle
    with:
      text: Hello Ada. Your plan renews in 14 days.
      duration: 4
      to: out/hello.srt
outputs:
  captions: ${{ steps.caption.outputs.captions.path | basename }}
  until: ${{ 4 | timecode }}
"""


def test_the_operation_keeps_the_contract() -> None:
    good = {"text": "Hello Ada. Your plan renews.", "duration": 3.2, "to": "out/hello.srt"}
    check_operation(
        callsheet_acme.Subtitle(),
        [{"with": good}, {"with": {**good, "duration": 0}, "invalid": True}, {"with": {"text": "x"}, "invalid": True}],
    )


def test_a_job_that_uses_it(tmp_path: Path) -> None:
    report = run_job(JOB, {"acme": callsheet_acme}, folder=tmp_path)
    assert report.status == "succeeded"
    assert report.outputs == {"captions": "hello.srt", "until": "00:00:04,000"}
    written = (tmp_path / "out/hello.srt").read_text(encoding="utf-8")
    first, second = written.split("\n\n")
    assert first == "1\n00:00:00,000 --> 00:00:01,053\nHello Ada."
    assert second == "2\n00:00:01,053 --> 00:00:04,000\nYour plan renews in 14 days.\n"
