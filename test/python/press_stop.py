"""Presses a notebook's stop button while a cell trains, runs the cell again, and so on until it is done; prints a JSON
object: what the cell said each time, and the first characters of the weights' SHA-256, beside those of a run that was
never stopped. Needs jupyter_client. Usage, with JUPYTER_PATH at the project's root: press_stop.py FOLDER"""

import json
import sys
import time

from jupyter_client.manager import start_new_kernel

BEFORE = """
import * as sidlab from 'sidlab';
import { join } from 'node:path';
const folder = FOLDER;
await sidlab.useEngine();
const stages = new sidlab.PipelineStages({ ...sidlab.quickstart(), out: folder });
await stages.sample();
await stages.filter();
await stages.embed();
await stages.sid();
const onLog = (lines) => { if (lines.at(-1).step % 20 === 0) console.log('step', lines.at(-1).step); };
const sft = { data: folder, index: stages.index, model: 'qwen2:32x1', dataRatio: 0.2, epochs: 6, evalEpochs: 6, batchSize: 16, validRows: 50, onLog: onLog };
"""
CELL = """
const report = await sidlab.sft({ ...sft, run: join(folder, 'runs', NAME) });
console.log('weights', sidlab.hashFile(join(report.model, 'model.safetensors')).slice(0, 16));
"""


def run(manager, client, code, press_at=None):
    """Executes a cell; presses the button when it prints `press_at`. Returns what the cell printed."""
    time.sleep(0.5)  # after an error the kernel turns away what was sent within 0.2 s
    message = client.execute(code)
    printed = ""
    while True:
        reply = client.get_iopub_msg(timeout=120)
        if reply["parent_header"].get("msg_id") != message:
            continue
        if reply["msg_type"] == "stream":
            printed += reply["content"]["text"]
            if press_at and press_at in printed:
                manager.interrupt_kernel()
                press_at = None
        if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
            return printed


def main(folder):
    manager, client = start_new_kernel(kernel_name="tslab")
    try:
        before = run(manager, client, BEFORE.replace("FOLDER", json.dumps(folder)))
        whole = run(manager, client, CELL.replace("NAME", "'whole'"))
        stopped = CELL.replace("NAME", "'stopped'")
        pressed = [run(manager, client, stopped, f"step {step}\n") for step in (20, 60)]
        done = run(manager, client, stopped)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(json.dumps({"before": before, "whole": whole, "pressed": pressed, "done": done}))


main(*sys.argv[1:])
