#!/usr/bin/env python3
"""Writes weights and vocabularies as fastai 0.7, 1 and 2 save them, for the tests beside this file.

    python3 make_fastai_files.py        # PyTorch 1.13, numpy; writes Files/

fastai itself is not needed: what it saves are dicts of tensors and lists of words, under the names below. The hidden
states in golden.safetensors are those of PyTorch's own LSTM on the weights that every language-model file here holds.
"""
import collections, json, os, pickle, struct, sys, types
import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

EMBEDDING, HIDDEN, LAYERS, TIME, BATCH, CLASSES = 6, 10, 3, 7, 2, 3
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Files")

V2_SPECIAL = "xxunk xxpad xxbos xxeos xxfld xxrep xxwrep xxup xxmaj".split()
V1_SPECIAL = "xxunk xxpad xxbos xxeos xxfld xxmaj xxup xxrep xxwrep".split()
V07_SPECIAL = "_unk_ _pad_ xbos xfld t_up tk_rep tk_wrep".split()
WORDS = "the , . and of to in \n a was n't café 东 😀 don i 's".split(" ")


def path(name):
    return os.path.join(HERE, name)


def vocabulary(special, pad=True):
    words = special + WORDS
    while pad and len(words) % 8:
        words = words + ["xxfake"]
    return words


def weights(rows, seed):
    torch.manual_seed(seed)
    state = {"encoder.weight": torch.randn(rows, EMBEDDING) * .4, "decoder.bias": torch.randn(rows) * .2}
    for i in range(LAYERS):
        inputs, outputs = EMBEDDING if i == 0 else HIDDEN, EMBEDDING if i == LAYERS - 1 else HIDDEN
        lstm = nn.LSTM(inputs, outputs)
        for key in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            state[f"rnns.{i}.{key}"] = (getattr(lstm, key).detach() * 2).clone()
    return state


def encoder_keys(state, prefix="0.", both_hidden=False, old=False, raw_in_module=False):
    """The encoder's part of a state dict; with both_hidden as fastai 1 saves it after a training step: the weights that
    dropout was last applied to lie there too."""
    out = collections.OrderedDict()
    out[prefix + "encoder.weight"] = state["encoder.weight"]
    out[prefix + ("encoder_with_dropout.embed.weight" if old else "encoder_dp.emb.weight")] = state["encoder.weight"]
    for i in range(LAYERS):
        raw = f"{prefix}rnns.{i}.module.weight_hh_l0_raw" if raw_in_module else f"{prefix}rnns.{i}.weight_hh_l0_raw"
        hidden = state[f"rnns.{i}.weight_hh_l0"]
        out[raw] = hidden
        if both_hidden:
            out[f"{prefix}rnns.{i}.module.weight_hh_l0"] = F.dropout(hidden, .5)
        for key in ("weight_ih_l0", "bias_ih_l0", "bias_hh_l0"):
            out[f"{prefix}rnns.{i}.module.{key}"] = state[f"rnns.{i}.{key}"]
    return out


def language_model_keys(state, bias=True, **how):
    out = encoder_keys(state, **how)
    out["1.decoder.weight"] = state["encoder.weight"]
    if bias:
        out["1.decoder.bias"] = state["decoder.bias"]
    return out


def with_metadata(state):
    """As Module.state_dict() gives it: an OrderedDict with an attribute of its own."""
    state = collections.OrderedDict(state)
    state._metadata = collections.OrderedDict([("", {"version": 1}), ("0", {"version": 1})])
    return state


def save(name, value, legacy=False):
    torch.save(value, path(name), pickle_protocol=2, _use_new_zipfile_serialization=not legacy)


def save_pickle(name, value, protocol):
    with open(path(name), "wb") as f:
        pickle.dump(value, f, protocol)


def hidden_states(state, tokens):
    x, states = F.embedding(tokens, state["encoder.weight"]), []
    for i in range(LAYERS):
        hidden = state[f"rnns.{i}.weight_hh_l0"]
        lstm = nn.LSTM(x.shape[2], hidden.shape[1])
        with torch.no_grad():
            for key in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
                getattr(lstm, key).copy_(state[f"rnns.{i}.{key}"])
            x, _ = lstm(x)
        states.append(x)
    return states


def write_safetensors(name, tensors):
    header, data = {}, b""
    for key in sorted(tensors):
        t = tensors[key].detach().to(torch.float32).contiguous()
        raw = t.numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path(name), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def optimizer(state):
    """What fastai 2 saves beside the model: with discriminative rates the hyper-parameters are numpy's numbers."""
    keys = list(state)
    return {
        "state": [{"grad_avg": torch.zeros(3), "sqr_avg": torch.zeros(3), "step": 7} for _ in keys],
        "hypers": [{"lr": rate, "wd": .01, "mom": .8, "train": True} for rate in numpy.geomspace(1e-5, 1e-3, 4)],
    }


def language_models():
    v2, v1, v07 = (weights(len(vocabulary(s)), 5) for s in (V2_SPECIAL, V1_SPECIAL, V07_SPECIAL))
    tokens = torch.randint(0, len(vocabulary(V2_SPECIAL)), (TIME, BATCH))
    golden = {"tokens": tokens}
    for name, state, special in (("v2", v2, V2_SPECIAL), ("v1", v1, V1_SPECIAL), ("v07", v07, V07_SPECIAL)):
        rows = len(vocabulary(special))
        golden.update({f"{name}.hidden.{i}": h for i, h in enumerate(hidden_states(state, tokens % rows))})
        golden[f"{name}.rows"] = torch.tensor([float(rows)])
        golden.update({f"{name}.{k}": t for k, t in state.items()})
    last = golden["v2.hidden.2"]
    golden["v2.logits"] = F.linear(last, v2["encoder.weight"], v2["decoder.bias"])
    write_safetensors("golden.safetensors", golden)

    save("v2-lm.pth", {"model": with_metadata(language_model_keys(v2)), "opt": optimizer(v2)})
    save("v2-lm-legacy.pth", {"model": with_metadata(language_model_keys(v2)), "opt": optimizer(v2)}, legacy=True)
    save("v2-encoder.pth", with_metadata(encoder_keys(v2, prefix="")))
    save("v1-lm.pth", with_metadata(language_model_keys(v1, both_hidden=True)), legacy=True)
    save("v07-lm.h5", with_metadata(language_model_keys(v07, bias=False, old=True, raw_in_module=True)), legacy=True)

    # Another direction of the same vocabulary.
    save("v2-lm-backward.pth", with_metadata(language_model_keys(weights(len(vocabulary(V2_SPECIAL)), 6))))

    half = {k: t.half() for k, t in v2.items()}
    save("v2-lm-half.pth", with_metadata(language_model_keys(half)))

    # Views: a part of a larger storage, transposed, as double precision.
    room = torch.zeros(len(v2["encoder.weight"]) + 3, EMBEDDING + 2, dtype=torch.float64)
    room[2:-1, 1:-1] = v2["encoder.weight"].double()
    views = {k: t.double() for k, t in v2.items()}
    views["encoder.weight"] = room[2:-1, 1:-1]
    for i in range(LAYERS):
        key = f"rnns.{i}.weight_ih_l0"
        views[key] = views[key].t().contiguous().t()
    save("v2-lm-views.pth", with_metadata(language_model_keys(views)))


def classifiers():
    v2, v1 = weights(len(vocabulary(V2_SPECIAL)), 5), weights(len(vocabulary(V1_SPECIAL)), 5)

    def batch_norm(prefix, features):
        return {prefix + "weight": torch.ones(features), prefix + "bias": torch.zeros(features), prefix + "running_mean": torch.zeros(features),
                prefix + "running_var": torch.ones(features), prefix + "num_batches_tracked": torch.tensor(9)}

    state = encoder_keys(v2, prefix="0.module.")
    for block, (inputs, outputs) in enumerate(((3 * EMBEDDING, 5), (5, CLASSES))):
        state.update(batch_norm(f"1.layers.{block}.0.", inputs))
        state[f"1.layers.{block}.2.weight"] = torch.randn(outputs, inputs)
    save("v2-classifier.pth", with_metadata(state))

    state = encoder_keys(v1, prefix="0.module.", both_hidden=True)
    for block, (inputs, outputs) in enumerate(((3 * EMBEDDING, 5), (5, CLASSES))):
        state.update(batch_norm(f"1.layers.{4 * block}.", inputs))
        state[f"1.layers.{4 * block + 2}.weight"] = torch.randn(outputs, inputs)
        state[f"1.layers.{4 * block + 2}.bias"] = torch.randn(outputs)
    save("v1-classifier.pth", {"model": with_metadata(state)}, legacy=True)


def refused():
    v2 = weights(len(vocabulary(V2_SPECIAL)), 5)
    rows = len(vocabulary(V2_SPECIAL))
    emb = {"0.encoder.weight": v2["encoder.weight"], "0.encoder_dp.emb.weight": v2["encoder.weight"]}
    save("qrnn.pth", {**emb, "0.rnns.0.layers.0.linear.weight_raw": torch.zeros(30, 12), "0.rnns.0.layers.0.linear.module.bias": torch.zeros(30)})
    save("transformer.pth", {**emb, "0.pos_enc.weight": torch.zeros(16, EMBEDDING), "0.layers.0.mhra.attention.weight": torch.zeros(18, EMBEDDING)})
    save("whole-module.pth", nn.Linear(2, 2))
    save("no-dict.pth", [1, 2, 3])

    missing = language_model_keys(v2)
    del missing["0.rnns.1.module.bias_ih_l0"]
    save("missing-key.pth", missing)
    shape = language_model_keys(v2)
    shape["0.rnns.1.module.weight_ih_l0"] = torch.zeros(4 * HIDDEN, HIDDEN + 1)
    save("wrong-shape.pth", shape)
    gru = language_model_keys(v2)
    for i in range(LAYERS):
        for key in list(gru):
            if key.startswith(f"0.rnns.{i}."):
                gru[key] = gru[key][: 3 * len(gru[key]) // 4].clone()
    save("gru.pth", gru)
    unknown = language_model_keys(v2)
    unknown["2.adapter.weight"] = torch.zeros(2)
    save("unknown-key.pth", unknown)
    untied = language_model_keys(v2)
    untied["1.decoder.weight"] = torch.zeros(rows, EMBEDDING)
    save("untied.pth", untied)
    integers = language_model_keys(v2)
    integers["1.decoder.bias"] = torch.zeros(rows, dtype=torch.int64)
    save("integers.pth", integers)
    infinite = language_model_keys(v2)
    infinite["1.decoder.bias"] = torch.full((rows,), float("nan"))
    save("not-finite.pth", infinite)


def vocabularies():
    v2 = vocabulary(V2_SPECIAL)
    for protocol in range(6):
        save_pickle(f"v2-itos-protocol-{protocol}.pkl", v2, protocol)
    save_pickle("v1-itos.pkl", vocabulary(V1_SPECIAL), 3)
    save_pickle("v07-itos.pkl", vocabulary(V07_SPECIAL), 3)
    save_pickle("v2-itos-unpadded.pkl", vocabulary(V2_SPECIAL, pad=False), 4)
    save_pickle("v2-itos-short.pkl", v2[:20], 4)
    save_pickle("v2-vocab-pair.pkl", (v2, ["negative", "positive"]), 4)
    save_pickle("v2-itos-stoi.pkl", (v2, collections.defaultdict(int, {w: i for i, w in enumerate(v2)})), 4)
    save_pickle("not-words.pkl", [1, 2, 3], 4)
    save_pickle("set.pkl", {"the", "of"}, 2)

    # What dls.vocab is with fastai 2: a list of its own kind. The modules stand in for fastai's, by name alone.
    foundation, transforms = types.ModuleType("fastcore.foundation"), types.ModuleType("fastai.data.transforms")
    sys.modules.update({"fastcore": types.ModuleType("fastcore"), "fastcore.foundation": foundation, "fastai": types.ModuleType("fastai"),
                        "fastai.data": types.ModuleType("fastai.data"), "fastai.data.transforms": transforms})

    class L:
        pass

    class CategoryMap:
        pass

    for kind, module in ((L, foundation), (CategoryMap, transforms)):
        kind.__module__, kind.__qualname__ = module.__name__, kind.__name__
        setattr(module, kind.__name__, kind)
    names, classes, both = L(), CategoryMap(), L()
    names.items = ["negative", "positive"]
    classes.sort, classes.items, classes.o2i = True, names, collections.defaultdict(int, {"negative": 0, "positive": 1})
    both.items = [v2, classes]
    save_pickle("v2-vocab-fastcore.pkl", both, 4)
    save("v2-vocab.pth", both)


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    language_models()
    classifiers()
    refused()
    vocabularies()
