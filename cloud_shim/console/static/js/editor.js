// The editor: a set of text files, a tab each, in CodeMirror 6. It knows files, not functions or devices.

import {
  EditorState, EditorView, StreamLanguage, bracketMatching, closeBrackets, closeBracketsKeymap, defaultKeymap, drawSelection,
  highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, history, historyKeymap, indentUnit, indentWithTab,
  keymap, lineNumbers, python, search, searchKeymap, toml,
} from "../vendor/codemirror.js";
import { theme } from "./theme.js";

const LANGUAGES = { py: () => python(), toml: () => StreamLanguage.define(toml) };

export class Editor {
  #states = new Map();
  #saved = {};
  #view = null;
  #current = null;

  /** `changed` is called after each edit. */
  constructor(frame, tabs, changed) {
    this.frame = frame;
    this.tabs = tabs;
    this.changed = changed;
    tabs.addEventListener("keydown", (event) => this.#arrow(event));
  }

  /** Replaces everything by `files` (name → text), the program first. */
  open(files) {
    const names = Object.keys(files).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    this.#states = new Map(names.map((name) => [name, this.#state(name, files[name])]));
    this.#saved = Object.fromEntries([...this.#states].map(([name, state]) => [name, state.sliceDoc()]));
    this.tabs.replaceChildren(...names.map((name, index) => this.#tab(name, index)));
    if (names.length) this.#show(names.includes(this.#current) ? this.#current : names[0], false);
  }

  /** Holds no files any more, but an empty element with that id and class. */
  close(id) {
    this.#view?.destroy();
    this.#view = null;
    this.#states = new Map();
    this.#saved = {};
    const empty = document.createElement("div");
    empty.id = empty.className = id;
    this.tabs.replaceChildren();
    this.frame.replaceChildren(empty);
  }

  /** The files as they stand now. */
  files() {
    this.#keep();
    return Object.fromEntries([...this.#states].map(([name, state]) => [name, state.sliceDoc()]));
  }

  /** Whether a file differs from what was opened or last saved. */
  get dirty() {
    return Object.entries(this.files()).some(([name, text]) => text !== this.#saved[name]);
  }

  /** Takes `files`, as they were when sent, for saved. */
  saved(files) {
    this.#saved = files;
  }

  #keep() {
    if (this.#view !== null && this.#states.has(this.#current)) this.#states.set(this.#current, this.#view.state);
  }

  #show(name, focus) {
    this.#current = name;
    if (this.#view === null) this.#view = this.#make(this.#states.get(name));
    else this.#view.setState(this.#states.get(name));
    for (const tab of this.tabs.children) {
      const chosen = tab.dataset.file === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) {
        this.frame.setAttribute("aria-labelledby", tab.id);
        if (focus) tab.focus();
      }
    }
  }

  #make(state) {
    this.frame.replaceChildren();
    return new EditorView({ state, parent: this.frame });
  }

  #state(name, doc) {
    return EditorState.create({ doc, extensions: [...extensions(name, doc), EditorView.updateListener.of((update) => this.#edited(update))] });
  }

  #edited(update) {
    if (update.docChanged) this.changed();
  }

  #switch(name, focus) {
    this.#keep();
    this.#show(name, focus);
  }

  #tab(name, index) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `tab-${index}`;
    tab.dataset.file = name;
    tab.textContent = name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", this.frame.id);
    tab.addEventListener("click", () => this.#switch(name, false));
    return tab;
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const names = [...this.#states.keys()];
    this.#switch(names[(names.indexOf(this.#current) + step + names.length) % names.length], true);
  }
}

function rank(name) {
  return name.endsWith(".py") ? (name === "main.py" ? 0 : 1) : 2;
}

// Line ends stay as they are, except in a file that mixes them.
function onlyCrLf(text) {
  return text.includes("\r\n") && !/(^|[^\r])\n/.test(text);
}

function extensions(name, text) {
  const language = LANGUAGES[name.split(".").at(-1)];
  return [
    EditorView.cspNonce.of(document.querySelector('meta[name="style-nonce"]').nonce),
    lineNumbers(),
    EditorView.lineWrapping,
    highlightSpecialChars(),
    history(),
    drawSelection(),
    ...(onlyCrLf(text) ? [EditorState.lineSeparator.of("\r\n")] : []),
    EditorState.tabSize.of(4),
    indentUnit.of(name.endsWith(".py") ? "    " : "  "),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    search({ top: true }),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
    EditorView.contentAttributes.of({ "aria-label": `${name}. Escape, then Tab, leaves the editor.` }),
    theme,
    ...(language ? [language()] : []),
  ];
}
