#!/usr/bin/env python3
"""Times in PyTorch the training step that `ulmfit bench` times, so that the two can be compared.

The step is that of an AWD-LSTM language model (Merity et al. 2017): dropout of whole embedding rows and of the
embedded input, LSTM layers with DropConnect on their hidden-to-hidden weights, one mask a lane between layers, a
decoder tied to the embedding, cross-entropy with AR and TAR, backward, clipping of the gradients' norm, Adam. Tokens
are random; the state goes on from step to step. One step is not timed, then --steps are.

    apt-get install python3-torch libopenblas0-openmp
    python3 awd_lstm_step.py --size base --threads 4

Without OpenBLAS, Debian's PyTorch runs on a reference BLAS and is several times slower: no peer at all.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

# vocabulary, embedding, hidden, layers, batch, bptt: the sizes of `ulmfit bench --size`
SIZES = {
    "base": (30000, 400, 1152, 3, 64, 70),
    "small": (12000, 256, 768, 3, 32, 70),
    "tiny": (12000, 128, 256, 3, 32, 70),
}
EMBEDDING_ROWS, INPUT, BETWEEN, OUTPUT, WEIGHTS = 0.02, 0.25, 0.15, 0.1, 0.2


def mask(like, shape, rate):
    return like.new_empty(shape).bernoulli_(1 - rate).div_(1 - rate)


class LanguageModel(nn.Module):
    def __init__(self, vocabulary, embedding, hidden, layers):
        super().__init__()
        self.embedding = nn.Parameter(torch.rand(vocabulary, embedding) * 0.2 - 0.1)
        self.decoder_bias = nn.Parameter(torch.zeros(vocabulary))
        widths = [embedding] + [hidden] * (layers - 1) + [embedding]
        self.layers = nn.ModuleList(nn.LSTM(i, o) for i, o in zip(widths, widths[1:]))
        # DropConnect replaces the layers' own hidden-to-hidden weights by masked copies of these.
        self.recurrent = nn.ParameterList(nn.Parameter(layer.weight_hh_l0.detach().clone()) for layer in self.layers)
        for layer in self.layers:
            del layer.weight_hh_l0
        self.carried = [None] * layers

    def forward(self, tokens):
        rows = mask(self.embedding, (self.embedding.shape[0], 1), EMBEDDING_ROWS)
        x = functional.embedding(tokens, self.embedding * rows)
        x = x * mask(x, (1, *x.shape[1:]), INPUT)
        for number, layer in enumerate(self.layers):
            layer.weight_hh_l0 = functional.dropout(self.recurrent[number], WEIGHTS)
            raw, (h, c) = layer(x, self.carried[number])
            self.carried[number] = (h.detach(), c.detach())
            last = number + 1 == len(self.layers)
            x = raw * mask(raw, (1, *raw.shape[1:]), OUTPUT if last else BETWEEN)
        return functional.linear(x, self.embedding, self.decoder_bias), raw, x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="base")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    vocabulary, embedding, hidden, layers, batch, bptt = SIZES[options.size]
    model = LanguageModel(vocabulary, embedding, hidden, layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.7, 0.99))

    seconds = []
    for step in range(options.steps + 1):
        tokens = torch.randint(vocabulary, (bptt, batch))
        targets = torch.randint(vocabulary, (bptt * batch,))
        begin = time.perf_counter()
        logits, raw, dropped = model(tokens)
        loss = functional.cross_entropy(logits.view(-1, vocabulary), targets)
        loss = loss + 2 * dropped.square().mean() + (raw[1:] - raw[:-1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.4)
        optimizer.step()
        if step > 0:
            seconds.append(time.perf_counter() - begin)

    median = statistics.median_high(seconds)
    counted = sum(p.numel() for p in model.parameters()) - vocabulary
    report = {
        "library": "PyTorch " + torch.__version__,
        "size": options.size,
        "threads": options.threads,
        "steps": options.steps,
        "tokensPerStep": batch * bptt,
        "countedWeights": counted,
        "medianStepSeconds": median,
        "tokensPerSecond": batch * bptt / median,
        "gflopPerSecond": 6e-9 * counted * batch * bptt / median,
        # Kibibytes on Linux: the largest resident set of the process.
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(report))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file)


if __name__ == "__main__":
    main()
