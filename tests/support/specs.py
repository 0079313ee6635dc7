"""Job files for tests of the command."""

from __future__ import annotations

#: 0.0083 to 0.0666 USD: from the length of the sound to that of the film.
LIPSYNC = """\
version: 1
name: dubbing
budget: {max: 10 USD}
steps:
  - id: dub
    uses: lipsync
    with: {video: media/clip.mp4, audio: media/voice.wav, title: First}
  - id: save
    uses: download
    with: {from: "${{ steps.dub.outputs.video }}", to: out/final.mp4}
"""

#: One film in four languages, exactly 0.0666 USD each.
TRANSLATE = """\
version: 1
name: abroad
budget: {max: 10 USD}
foreach:
  lang: [es-ES, fr-FR, de-DE, it-IT]
steps:
  - id: dub
    uses: translate
    with: {video: media/clip.mp4, language: "${{ lang }}"}
  - id: save
    uses: download
    with: {from: "${{ steps.dub.outputs.video }}", to: "out/${{ lang }}.mp4"}
"""

#: A sentence, for less than a cent. HeyGen has no key for speech.
SPEECH = """\
version: 1
name: sentence
budget: {max: 10 USD}
steps:
  - id: speak
    uses: speech
    with: {text: "Good morning, everybody.", voice: sandbox-anna, language: en-US}
  - id: save
    uses: download
    with: {from: "${{ steps.speak.outputs.audio }}", to: out/words.mp3}
"""

#: Nothing but a copy of a file: needs no provider.
COPY = """\
version: 1
name: copying
steps:
  - {id: save, uses: download, with: {from: media/clip.mp4, to: out/copy.mp4}}
"""
