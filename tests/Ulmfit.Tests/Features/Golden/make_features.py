"""Writes features.json: what numpy finds for the fits of Ulmfit.Features, by other algorithms than theirs.

Needs Python 3 and numpy. Run it in this folder: python3 make_features.py
"""
import json

import numpy as np

rng = np.random.default_rng(7)
CLASSES, FEATURES, ROWS = 3, 6, 90
labels = rng.integers(0, CLASSES, ROWS)
mix = rng.normal(size=(FEATURES, FEATURES))
x = (rng.normal(size=(CLASSES, FEATURES))[labels] + rng.normal(size=(ROWS, FEATURES)) @ mix).astype(np.float32).astype(np.float64)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def logistic(l2, class_weights, smoothing):
    """Newton's method on all classes; the bias, whose constant shift changes nothing, is solved for by pseudo-inverse."""
    design = np.hstack([x, np.ones((ROWS, 1))])
    size = FEATURES + 1
    target = smoothing / CLASSES * np.tile(class_weights, (ROWS, 1))
    target[np.arange(ROWS), labels] += (1 - smoothing) * class_weights[labels]
    mass = target.sum(1, keepdims=True)
    total = class_weights[labels].sum()
    penalty = np.tile(np.r_[np.full(FEATURES, l2), 0.0], CLASSES)
    theta = np.zeros(CLASSES * size)
    for _ in range(50):
        p = softmax(design @ theta.reshape(CLASSES, size).T)
        gradient = (((mass * p - target) / total).T @ design).ravel() + penalty * theta
        hessian = np.diag(penalty)
        for a in range(CLASSES):
            for b in range(CLASSES):
                w = mass[:, 0] * p[:, a] * ((a == b) - p[:, b]) / total
                hessian[a * size:(a + 1) * size, b * size:(b + 1) * size] += design.T @ (w[:, None] * design)
        theta -= np.linalg.pinv(hessian) @ gradient
    z = design @ theta.reshape(CLASSES, size).T
    log_p = z - z.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    weights = theta.reshape(CLASSES, size)
    objective = -(target * log_p).sum() / total + l2 / 2 * (weights[:, :-1] ** 2).sum()
    return {"l2": l2, "classWeights": list(class_weights), "smoothing": smoothing, "objective": objective,
            "weights": weights[:, :-1].ravel().tolist(), "bias": (weights[:, -1] - weights[:, -1].mean()).tolist(), "probabilities": softmax(z).ravel().tolist()}


centred = x - x.mean(0)
values, vectors = np.linalg.eigh(centred.T @ centred / ROWS)
own = np.stack([x[labels == c].mean(0) for c in range(CLASSES)])
within_rows = x - own[labels]
within = within_rows.T @ within_rows / ROWS
trace = np.trace(within)
shrinkage = sum(((np.outer(r, r) - within) ** 2).sum() for r in within_rows) / ROWS ** 2 / ((within - trace / FEATURES * np.eye(FEATURES)) ** 2).sum()
shrunk = (1 - shrinkage) * within + shrinkage * trace / FEATURES * np.eye(FEATURES)
between = (own - x.mean(0))[labels].T @ (own - x.mean(0))[labels] / ROWS
ratios = np.sort(np.linalg.eigvals(np.linalg.solve(shrunk, between)).real)[::-1][:CLASSES - 1]

golden = {
    "rows": ROWS, "features": FEATURES, "classes": CLASSES, "x": x.ravel().tolist(), "labels": labels.tolist(),
    "variances": values[::-1].tolist(), "shrinkage": shrinkage, "ratios": ratios.tolist(),
    "within": shrunk.ravel().tolist(), "between": between.ravel().tolist(),
    "logistic": [logistic(0.01, np.ones(CLASSES), 0.0), logistic(0.1, np.array([1.0, 2.5, 0.5]), 0.1)],
}
with open("features.json", "w", encoding="utf-8") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
