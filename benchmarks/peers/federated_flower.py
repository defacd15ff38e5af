#!/usr/bin/env python3
"""Flower's side of compare_federated.py: simulated clients on two CPUs, plain FedAvg. Prints JSON.

    python federated_flower.py FOLDER ROUNDS       (needs flwr[simulation] and torch)

FOLDER has images.npy (float32, normalised rows of 784), labels.npy, parts.txt (a line of sample numbers for each client),
model.pt (TorchScript with the initial weights), test-images.npy and test-labels.npy.
"""
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy
import torch
from flwr.app import ArrayRecord, MetricRecord, RecordDict, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

FOLDER = pathlib.Path(sys.argv[1])
ROUNDS = int(sys.argv[2])
CLIENTS = len((FOLDER / "parts.txt").read_text().splitlines())
client = ClientApp()
server = ServerApp()
cache = {}


def model():
    return torch.jit.load(str(FOLDER / "model.pt"))


def samples(number):
    """Read once in each process, as an application would."""
    if number not in cache:
        part = numpy.array((FOLDER / "parts.txt").read_text().splitlines()[number].split(","), dtype=int)
        images = torch.from_numpy(numpy.load(FOLDER / "images.npy", mmap_mode="r")[part])
        labels = torch.from_numpy(numpy.load(FOLDER / "labels.npy")[part].astype(numpy.int64))
        cache[number] = (images, labels)
    return cache[number]


@client.train()
def train(message, context):
    torch.set_num_threads(1)
    number = context.node_config["partition-id"]
    images, labels = samples(number)
    net = model()
    net.load_state_dict(message.content["arrays"].to_torch_state_dict())
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    random = torch.Generator().manual_seed(1000 * message.content["config"]["server-round"] + number)
    for batch in torch.randperm(len(labels), generator=random).split(32):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
        optimizer.step()
    content = RecordDict({"arrays": ArrayRecord(net.state_dict()), "metrics": MetricRecord({"num-examples": len(labels)})})
    return Message(content=content, reply_to=message)


@server.main()
def main(grid, context):
    times = []
    strategy = FedAvg(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=CLIENTS, min_available_nodes=CLIENTS)
    # Called before the first round and after each: nothing is evaluated, the clock is read.
    result = strategy.start(grid=grid, initial_arrays=ArrayRecord(model().state_dict()), num_rounds=ROUNDS,
                            evaluate_fn=lambda number, arrays: times.append(time.monotonic()))
    torch.set_num_threads(1)
    net = model()
    net.load_state_dict(result.arrays.to_torch_state_dict())
    net.eval()
    with torch.no_grad():
        predicted = net(torch.from_numpy(numpy.load(FOLDER / "test-images.npy"))).argmax(1).numpy()
    right = (predicted == numpy.load(FOLDER / "test-labels.npy")).mean()
    seconds = [after - before for before, after in zip(times, times[1:])]
    (FOLDER / "flower.json").write_text(json.dumps({"seconds": seconds, "accuracy": float(right)}))


if __name__ == "__main__":
    run_simulation(server_app=server, client_app=client, num_supernodes=CLIENTS,
                   backend_config={"init_args": {"num_cpus": 2}, "client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    print((FOLDER / "flower.json").read_text())
