"""Published packages that come as modules, bundled for a page as their readers bundle them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {
    "@elevenlabs/convai-widget-core": "0.14.8",
    "@elevenlabs/react": "1.15.2",
    "esbuild": "0.28.2",
    "react": "19.2.8",
    "react-dom": "19.2.8",
}
WIDGET_CORE = """
import { registerWidget } from "@elevenlabs/convai-widget-core";
registerWidget();
"""
REACT = """
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { ConversationProvider, useConversation } from "@elevenlabs/react";

globalThis.log = [];
const note = (name) => (value) => { globalThis.log.push([name, value ?? null]); };
const names = ["onConnect", "onDisconnect", "onMessage", "onError", "onAudio"];
const callbacks = Object.fromEntries(names.map((name) => [name, note(name)]));

function Talk() {
  globalThis.talk = useConversation(callbacks);
  return createElement("p", { id: "status" },
    `${globalThis.talk.status} ${globalThis.talk.message ?? ""}`);
}

document.body.replaceChildren(document.createElement("div"));
createRoot(document.body.firstChild).render(
  createElement(ConversationProvider, null, createElement(Talk)));
"""


def installed(folder: Path) -> Path:
    """A folder with the packages; the test is skipped where npm cannot get them."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    # The newer of these two need a newer parser than the widget has.
    pinned = ("", "-gfm-strikethrough")
    overrides = {f"mdast-util-to-markdown-cjk-friendly{name}": "1.0.0" for name in pinned}
    package = {"private": True, "dependencies": PACKAGES, "overrides": overrides}
    (folder / "package.json").write_text(json.dumps(package))
    done = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot get {', '.join(PACKAGES)}")
    return folder


def bundled(folder: Path, entry: str) -> str:
    """`entry` and all that it imports, as one script."""
    (folder / "entry.mjs").write_text(entry)
    program = folder / "node_modules" / ".bin" / "esbuild"
    options = (
        *("--bundle", "--format=iife", '--define:process.env.NODE_ENV="production"'),
        *("--loader:.mjs=jsx", "--jsx=automatic"),
    )
    return subprocess.run(
        [program, "entry.mjs", *options, "--log-level=error"],
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    ).stdout
