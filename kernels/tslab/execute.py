"""Executes a notebook as `jupyter nbconvert --execute` does and shows, while it runs, what nbconvert does not: which
cell is running, and what the cells print. The notebook itself is only read; the executed copy is written when the last
cell is done, or when one has failed, so that its outputs can be looked at.

usage: execute.py NOTEBOOK COPY
Cells run in the notebook's own folder. Exit status 1 if a cell fails.
"""

import os
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

UPDATE_SECONDS = 2.0  # between two lines of a display that updates itself


def say(text):
    print(text, file=sys.stderr, flush=True)


class Shown(NotebookClient):
    """A client that passes on what cells print."""

    last_update = 0.0

    def process_message(self, msg, cell, cell_index):
        kind, content = msg["msg_type"], msg["content"]
        if kind == "stream":
            for line in content["text"].splitlines():
                say("    " + line)
        elif kind == "update_display_data" and time.monotonic() - self.last_update >= UPDATE_SECONDS:
            self.last_update = time.monotonic()
            line = content["data"].get("text/plain", "").strip().split("\n")[0]
            if line and not line.startswith("[figure:"):
                say("    " + line[:160])
        return super().process_message(msg, cell, cell_index)


def title(cell):
    """The cell's first line, for the eye."""
    lines = [line for line in cell["source"].splitlines() if line.strip()]
    return lines[0][:100] if lines else ""


def write(notebook, path):
    temporary = f"{path}.{os.getpid()}.tmp"
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


def main(source, copy):
    notebook = nbformat.read(source, as_version=4)
    code = [index for index, cell in enumerate(notebook.cells) if cell["cell_type"] == "code"]

    def started(cell, cell_index):
        if cell_index in code:
            say(f"  [{code.index(cell_index) + 1}/{len(code)}] {title(cell)}")

    client = Shown(
        notebook,
        timeout=None,
        startup_timeout=120,
        on_cell_start=started,
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
    )
    try:
        client.execute()
    except CellExecutionError:
        say(f"a cell of {source} failed (its output is above); the copy with the outputs up to it: {copy}")
        return 1
    except (DeadKernelError, RuntimeError) as error:
        say(f"{source}: the kernel died ({error}); its output is above")
        return 1
    finally:
        write(notebook, copy)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: execute.py NOTEBOOK COPY")
    sys.exit(main(sys.argv[1], sys.argv[2]))
