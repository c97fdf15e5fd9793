"""Goldens of the metrics from scikit-learn and River. Versions are written into the file.

    python3 -m venv venv && venv/bin/pip install river==0.26.1 scikit-learn==1.9.1
    venv/bin/python test/golden/metrics/make.py

Scores and labels of each case are in the file, as float32 values, so that no random generator has to agree.
"""
import json
import pathlib

import numpy as np
import river
import sklearn
from river import metrics as river_metrics
from sklearn import metrics as sk


def logistic(x):
    return 1 / (1 + np.exp(-x))


def rounded(values):
    """float32 values as short decimals that read back to the same float32."""
    return [float(np.format_float_positional(np.float32(v), unique=True)) for v in values]


def binary_case(name, scores, labels):
    scores = np.asarray(rounded(scores), dtype=np.float32).astype(np.float64)
    labels = np.asarray(labels, dtype=int)
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    said = scores >= 0.5
    rate = labels.mean()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    expected = {
        "auc": sk.roc_auc_score(labels, scores),
        "logLoss": sk.log_loss(labels, clipped),
        "normalisedEntropy": sk.log_loss(labels, clipped) / entropy,
        "pcoc": scores.sum() / labels.sum(),
        "accuracy": sk.accuracy_score(labels, said),
        "recall": sk.recall_score(labels, said),
        "f1": sk.f1_score(labels, said),
    }
    if said.any():
        expected["precision"] = sk.precision_score(labels, said)
    by_river = {
        "logLoss": river_metrics.LogLoss(),
        "accuracy": river_metrics.Accuracy(),
        "recall": river_metrics.Recall(),
        "f1": river_metrics.F1(),
    }
    for score, label in zip(clipped, labels):
        for metric_name, metric in by_river.items():
            shown = {True: score, False: 1 - score} if metric_name == "logLoss" else bool(score >= 0.5)
            metric.update(bool(label), shown)
    return {
        "name": name,
        "scores": rounded(scores),
        "labels": labels.tolist(),
        "scikitLearn": expected,
        "river": {k: m.get() for k, m in by_river.items()},
    }


def numeric_case(name, scores, labels):
    scores = np.asarray(rounded(scores), dtype=np.float32).astype(np.float64)
    labels = np.asarray(rounded(labels), dtype=np.float32).astype(np.float64)
    rmse, mae = river_metrics.RMSE(), river_metrics.MAE()
    for score, label in zip(scores, labels):
        rmse.update(label, score)
        mae.update(label, score)
    return {
        "name": name,
        "scores": rounded(scores),
        "labels": rounded(labels),
        "scikitLearn": {
            "rmse": sk.root_mean_squared_error(labels, scores),
            "mae": sk.mean_absolute_error(labels, scores),
        },
        "river": {"rmse": rmse.get(), "mae": mae.get()},
    }


def reliability(name, scores, labels, bins):
    """scikit-learn's quantile calibration curve, for scores without ties."""
    scores = np.asarray(rounded(scores), dtype=np.float32).astype(np.float64)
    observed, predicted = sk_calibration(labels, scores, bins)
    return {
        "name": name,
        "scores": rounded(scores),
        "labels": np.asarray(labels).tolist(),
        "bins": bins,
        "predicted": predicted.tolist(),
        "observed": observed.tolist(),
    }


def class_case(name, scores, labels):
    """scores: [n, classes] that sum to 1 up to float32. The baseline has counted each class once before the first label."""
    scores = np.asarray([rounded(row) for row in scores], dtype=np.float32).astype(np.float64)
    classes = list(range(scores.shape[1]))
    labels = np.asarray(labels, dtype=int)
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    said = scores.argmax(axis=1)
    came_before = np.stack([1 + np.bincount(labels[:i], minlength=len(classes)) for i in range(len(labels))])
    shares = came_before / came_before.sum(axis=1, keepdims=True)
    cross_entropy, accuracy = river_metrics.CrossEntropy(), river_metrics.Accuracy()
    for row, guess, label in zip(clipped, said, labels):
        cross_entropy.update(int(label), dict(zip(classes, row.tolist())))
        accuracy.update(int(label), int(guess))
    return {
        "name": name,
        "scores": [rounded(row) for row in scores],
        "labels": labels.tolist(),
        "scikitLearn": {
            "crossEntropy": float(-np.log(clipped[np.arange(len(labels)), labels]).mean()),
            "majorityCrossEntropy": sk.log_loss(labels, shares, labels=classes),
            "classAccuracy": sk.accuracy_score(labels, said),
            "majorityAccuracy": sk.accuracy_score(labels, came_before.argmax(axis=1)),
        },
        "river": {"crossEntropy": cross_entropy.get(), "classAccuracy": accuracy.get()},
        "confusion": sk.confusion_matrix(labels, said, labels=classes).tolist(),
    }


def sk_calibration(labels, scores, bins):
    from sklearn.calibration import calibration_curve

    return calibration_curve(labels, scores, n_bins=bins, strategy="quantile")


rng = np.random.default_rng(20260301)
n = 1500
taste = rng.normal(size=n)


def drawn(logits):
    return (rng.uniform(size=n) < logistic(logits)).astype(int)


half = drawn(taste * 1.5)
rare = drawn(taste * 1.2 - 4.0)
cases = [
    binary_case("balanced", logistic(taste + 0.5 * rng.normal(size=n)), half),
    binary_case("rare labels", logistic(taste - 4.2 + 0.5 * rng.normal(size=n)), rare),
    binary_case("heavy ties", np.round(logistic(taste + 0.5 * rng.normal(size=n)), 1), half),
    binary_case("certain and wrong now and then", np.where(rng.uniform(size=n) < 0.05, 1 - half, half).astype(float), half),
]
ratings = np.clip(np.round(3.6 + taste + 0.5 * rng.normal(size=n)), 1, 5)
numeric = [numeric_case("ratings", 3.6 + taste, ratings), numeric_case("prices", np.exp(3 + taste), np.exp(3 + taste + 0.2 * rng.normal(size=n)))]
curve = reliability("quantiles", logistic(taste - 1), drawn(taste - 1), 10)
own = np.random.default_rng(20260302)
m = 400
latent = own.normal(size=(m, 4)) * 1.5 + np.array([1.0, 0.0, -0.5, -3.0])
softmax = np.exp(latent) / np.exp(latent).sum(axis=1, keepdims=True)
drawn_classes = np.array([own.choice(4, p=row) for row in softmax])
blind = np.zeros((m, 4))
blind[np.arange(m), np.where(own.uniform(size=m) < 0.2, 3, drawn_classes)] = 1
classes = [class_case("four classes", softmax, drawn_classes), class_case("certain and wrong now and then", blind, drawn_classes)]
out = {
    "versions": {"scikit-learn": sklearn.__version__, "river": river.__version__, "numpy": np.__version__},
    "binary": cases,
    "numeric": numeric,
    "reliability": curve,
    "classes": classes,
}
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
