#!/usr/bin/env python3
"""Dumps ten training steps of small networks as PyTorch computes them, for the tests beside this folder.

    python3 make_goldens.py        # PyTorch 1.13; writes *.safetensors beside this file

A file holds the weights before (`before.*`) and after (`after.*`) ten steps, the gradients of the first step before
clipping (`gradient.*`, of the trained weights), the batches and the losses of each step.
Dropout is off: its masks are the engine's own and are checked against finite differences instead.
"""
import json, math, os, struct
import torch
import torch.nn as nn
import torch.nn.functional as F

VOCABULARY, EMBEDDING, HIDDEN, LAYERS = 37, 12, 20, 3
STEPS, BATCH = 10, 3
BETA1, BETA2, EPSILON, DECAY = .8, .99, 1e-5, .05
HEAD, CLASSES, CHUNK, MAX_LENGTH, SMOOTHING = 10, 4, 4, 9, .1
CLASS_WEIGHTS = [1., .5, 2., 1.25]
LSTM_RATE = .01
HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, tensors):
    header, data = {}, b""
    for key in sorted(tensors):
        t = tensors[key].detach().to(torch.float32).contiguous()
        raw = t.numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(VOCABULARY, EMBEDDING).uniform_(-.5, .5))
        dims = [(EMBEDDING if i == 0 else HIDDEN, EMBEDDING if i == LAYERS - 1 else HIDDEN) for i in range(LAYERS)]
        self.rnns = nn.ModuleList([nn.LSTM(i, o) for i, o in dims])

    def zero(self, batch):
        return [tuple(torch.zeros(1, batch, r.hidden_size) for _ in range(2)) for r in self.rnns]

    def forward(self, tokens, state):
        h, after = F.embedding(tokens, self.weight), []
        for r, s in zip(self.rnns, state):
            h, s = r(h, s)
            after.append(tuple(t.detach() for t in s))
        return h, after

    def named(self, prefix):
        yield prefix + "encoder.weight", self.weight
        for i, r in enumerate(self.rnns):
            yield f"{prefix}rnns.{i}.module.weight_ih_l0", r.weight_ih_l0
            yield f"{prefix}rnns.{i}.weight_hh_l0_raw", r.weight_hh_l0
            yield f"{prefix}rnns.{i}.module.bias_ih_l0", r.bias_ih_l0
            yield f"{prefix}rnns.{i}.module.bias_hh_l0", r.bias_hh_l0


def adam(named, moments, rates, trained, number, clip):
    """The formula of OptimizerStep: decoupled decay, not on biases and BatchNorm; returns the norm before clipping."""
    live = [(n, p) for n, p in named if trained(n)]
    norm = math.sqrt(sum(float(p.grad.double().pow(2).sum()) for _, p in live))
    scale = clip / norm if 0 < clip < norm else 1.
    with torch.no_grad():
        for n, p in live:
            m, v = moments.setdefault(n, (torch.zeros_like(p), torch.zeros_like(p)))
            g = p.grad * scale
            m.mul_(BETA1).add_(g, alpha=1 - BETA1)
            v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
            rate = rates(n)
            if "bias" not in n and not n.endswith(".0.weight"):
                p.mul_(1 - rate * DECAY)
            p.sub_(rate * (m / (1 - BETA1 ** number)) / ((v / (1 - BETA2 ** number)).sqrt() + EPSILON))
    return norm


def gradients(named, trained=lambda n: True):
    return {"gradient." + n: p.grad.clone() for n, p in named if trained(n)}


def layer_of(name):
    return int(name.split("rnns.")[1].split(".")[0]) if "rnns." in name else None


def language_model(name, clip, frozen):
    torch.manual_seed(7)
    encoder, bias = Encoder(), nn.Parameter(torch.empty(VOCABULARY).uniform_(-.2, .2))
    named = list(encoder.named("0.")) + [("1.decoder.bias", bias)]
    out = {"before." + n: p.clone() for n, p in named}
    group = lambda n: LAYERS if layer_of(n) is None else layer_of(n)
    state, moments, losses = encoder.zero(BATCH), {}, []
    for step in range(STEPS):
        time = [7, 5, 7, 1, 6, 7, 3, 7, 4, 7][step]
        x, y = torch.randint(0, VOCABULARY, (time, BATCH)), torch.randint(0, VOCABULARY, (time, BATCH))
        reset = torch.zeros(BATCH, dtype=torch.bool)
        if step % 3 == 2:
            reset[step % BATCH] = True
            for h, c in state:
                h[:, reset], c[:, reset] = 0, 0
        h, state = encoder(x, state)
        loss = F.cross_entropy(F.linear(h, encoder.weight, bias).view(-1, VOCABULARY), y.view(-1))
        extra = 2. * h.pow(2).mean() + (1. * (h[1:] - h[:-1]).pow(2).mean() if time > 1 else 0.)
        for _, p in named:
            p.grad = None
        (loss + extra).backward()
        if step == 0:
            out.update(gradients(named, lambda n: group(n) not in frozen))
        norm = adam(named, moments, lambda n: .01 / 2.6 ** (LAYERS - group(n)), lambda n: group(n) not in frozen, step + 1, clip)
        losses.append([float(loss), float(extra), norm])
        out.update({f"input.{step}": x, f"target.{step}": y, f"reset.{step}": reset})
    out["losses"] = torch.tensor(losses)
    out.update({"after." + n: p for n, p in named})
    write(name, out)


def classifier(name, clip, frozen):
    torch.manual_seed(11)
    encoder = Encoder()
    norms = [nn.BatchNorm1d(3 * EMBEDDING), nn.BatchNorm1d(HEAD)]
    linears = [nn.Linear(3 * EMBEDDING, HEAD, bias=False), nn.Linear(HEAD, CLASSES, bias=False)]
    named = list(encoder.named("0.module."))
    for i in range(2):
        named += [(f"1.layers.{i}.0.weight", norms[i].weight), (f"1.layers.{i}.0.bias", norms[i].bias), (f"1.layers.{i}.2.weight", linears[i].weight)]
    statistics = lambda: {f"1.layers.{i}.0.{k}": getattr(norms[i], k).clone() for i in range(2) for k in ("running_mean", "running_var")}
    out = {"before." + n: p.clone() for n, p in named}
    out.update({"before." + n: t for n, t in statistics().items()})

    def group(n):
        return LAYERS + 1 if n.startswith("1.") else 0 if layer_of(n) is None else layer_of(n) + 1

    def logits(documents):
        longest = max(map(len, documents))
        x = torch.zeros(longest, len(documents), dtype=torch.long)
        for i, d in enumerate(documents):
            x[:len(d), i] = torch.tensor(d)
        state, outputs = encoder.zero(len(documents)), []
        for start in range(0, longest, CHUNK):
            h, state = encoder(x[start:start + CHUNK], state)
            outputs.append(h)
        h = torch.cat(outputs)
        pooled = []
        for i, d in enumerate(documents):
            own = h[max(0, len(d) - MAX_LENGTH):len(d), i]
            pooled.append(torch.cat([own[-1], own.max(0)[0], own.mean(0)]))
        return linears[1](norms[1](F.relu(linears[0](norms[0](torch.stack(pooled))))))

    moments, losses = {}, []
    weights = torch.tensor(CLASS_WEIGHTS)
    for step in range(STEPS):
        count = [5, 4, 6, 2, 5, 5, 7, 3, 5, 6][step]
        lengths = sorted((int(torch.randint(1, 14, ())) for _ in range(count)), reverse=True)
        documents = [torch.randint(0, VOCABULARY, (n,)).tolist() for n in lengths]
        labels = torch.randint(0, CLASSES, (count,))
        z = logits(documents)
        loss = F.cross_entropy(z, labels, weight=weights, label_smoothing=SMOOTHING)
        for _, p in named:
            p.grad = None
        loss.backward()
        if step == 0:
            out.update(gradients(named, lambda n: group(n) not in frozen))
        norm = adam(named, moments, lambda n: .01 / 2.6 ** (LAYERS + 1 - group(n)), lambda n: group(n) not in frozen, step + 1, clip)
        losses.append([float(loss), norm, float((z.argmax(1) == labels).sum())])
        out[f"labels.{step}"] = labels
        out.update({f"document.{step}.{i:02}": torch.tensor(d) for i, d in enumerate(documents)})
    for m in norms:
        m.eval()
    with torch.no_grad():
        out["probabilities"] = F.softmax(logits(documents), 1)
    out["losses"] = torch.tensor(losses)
    out.update({"after." + n: p for n, p in named})
    out.update({"after." + n: t for n, t in statistics().items()})
    write(name, out)


def plain_lstm(name, classes):
    """The plain classifier with PyTorch's own layers, loss and Adam: one logit and BCE for two classes, else cross-entropy."""
    torch.manual_seed(13)
    logits = 1 if classes == 2 else classes
    embedding, lstm, linear = nn.Embedding(VOCABULARY, EMBEDDING), nn.LSTM(EMBEDDING, HIDDEN), nn.Linear(HIDDEN, logits)
    named = [("0.module.encoder.weight", embedding.weight), ("0.module.rnns.0.module.weight_ih_l0", lstm.weight_ih_l0),
             ("0.module.rnns.0.weight_hh_l0_raw", lstm.weight_hh_l0), ("0.module.rnns.0.module.bias_ih_l0", lstm.bias_ih_l0),
             ("0.module.rnns.0.module.bias_hh_l0", lstm.bias_hh_l0), ("1.linear.weight", linear.weight), ("1.linear.bias", linear.bias)]
    out = {"before." + n: p.clone() for n, p in named}
    criterion = nn.BCEWithLogitsLoss() if logits == 1 else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam([p for _, p in named], lr=LSTM_RATE, betas=(.9, .999), eps=1e-8)

    def predict(documents):
        padded = nn.utils.rnn.pad_sequence([torch.tensor(d) for d in documents])
        packed = nn.utils.rnn.pack_padded_sequence(embedding(padded), [len(d) for d in documents])
        return linear(lstm(packed)[1][0][-1])

    losses = []
    for step in range(STEPS):
        count = [5, 4, 6, 2, 5, 1, 7, 3, 5, 6][step]
        lengths = sorted((int(torch.randint(1, 40, ())) for _ in range(count)), reverse=True)
        documents = [torch.randint(0, VOCABULARY, (n,)).tolist() for n in lengths]
        labels = torch.randint(0, classes, (count,))
        z = predict(documents)
        loss = criterion(z.squeeze(1), labels.float()) if logits == 1 else criterion(z, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out.update(gradients(named))
        norm = math.sqrt(sum(float(p.grad.double().pow(2).sum()) for _, p in named))
        optimizer.step()
        chosen = (z.squeeze(1) > 0).long() if logits == 1 else z.argmax(1)
        losses.append([float(loss), norm, float((chosen == labels).sum())])
        out[f"labels.{step}"] = labels
        out.update({f"document.{step}.{i:02}": torch.tensor(d) for i, d in enumerate(documents)})
    with torch.no_grad():
        z = predict(documents)
        out["probabilities"] = torch.cat([torch.sigmoid(-z), torch.sigmoid(z)], 1) if logits == 1 else F.softmax(z, 1)
    out["losses"] = torch.tensor(losses)
    out.update({"after." + n: p for n, p in named})
    write(name, out)


if __name__ == "__main__":
    language_model("lm-clipped", .3, ())
    language_model("lm-frozen", 0., (0, 1))
    classifier("classifier-clipped", .5, ())
    classifier("classifier-frozen", 0., (0, 1, 2))
    plain_lstm("lstm-binary", 2)
    plain_lstm("lstm-classes", 4)
