"""Gloo's all-reduce of `npm run bench -- allreduce`: two processes of one thread on this machine.

python allreduce.py FOLDER: reads job.json {megabytes, repetitions}; prints {"seconds"}, the median of rank 0.
"""
import json
import os
import pathlib
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def work(rank, job, queue):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(job["port"]))
    dist.init_process_group("gloo", rank=rank, world_size=2)
    times = []
    for _ in range(job["repetitions"] + 1):
        x = torch.full((int(job["megabytes"] * 1e6 / 4),), float(rank + 1))
        dist.barrier()
        begin = time.perf_counter()
        dist.all_reduce(x)
        times.append(time.perf_counter() - begin)
        assert bool((x == 3).all())
    if rank == 0:
        queue.put(sorted(times[1:])[len(times[1:]) // 2])
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    job = json.loads((pathlib.Path(sys.argv[1]) / "job.json").read_text())
    context = mp.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=work, args=(rank, job, queue)) for rank in range(2)]
    for process in processes:
        process.start()
    seconds = queue.get()
    for process in processes:
        process.join()
    print(json.dumps({"seconds": seconds}))
