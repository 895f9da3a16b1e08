"""Reads random windows with The Well's own loader: python3 peer.py FOLDER SECONDS

Tries one process and two workers of torch's DataLoader and prints the frames per second of
the better of the two, and the frames per second of processor time of one process.
"""
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import torch
from the_well.data import WellDataset

torch.set_num_threads(2)
folder, seconds = sys.argv[1], float(sys.argv[2])
base, split = folder.rstrip("/").rsplit("/data/", 1)
dataset = WellDataset(path=base, well_split_name=split, n_steps_input=6, n_steps_output=1, use_normalization=False)


def rate(workers):
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True, num_samples=10**6)
    loader = torch.utils.data.DataLoader(dataset, batch_size=1, sampler=sampler, num_workers=workers)
    frames, begin, it = 0, None, iter(loader)
    for i, sample in enumerate(it):
        if i == 4:  # files are open, workers have started
            begin, used, frames = time.time(), time.process_time(), 0
        frames += sample["input_fields"].shape[1] + sample["output_fields"].shape[1]
        if begin is not None and time.time() - begin > seconds / 2:
            break
    result = frames / (time.time() - begin), frames / (time.process_time() - used)
    del it
    return result


alone = rate(0)
print(max(alone[0], rate(2)[0]), alone[1])
