"""Makes two-speed.json: the fast part and the stack, in double precision, from equations written down a second time.

  ~/.cache/millrace/torch/bin/python test/golden/fast/make.py   (numpy 2.4.6, installed by scripts/provision-torch)
"""
import json
from pathlib import Path

import numpy as np

K = 8
ID_BIAS, SIDE_BIAS, ID_FACTOR, SIDE_FACTOR = 0.5, 0.05, 0.1, 0.01
DENSE, NOISE, H_MIN, HUBER = 0.03, 0.4, 0.01, 3.0
Q_USER, Q_REST, Q_SHARED = 0.01, 1e-5, 1e-6
STACK_RIDGE = {"gaussian": 100.0, "logistic": 30.0}
STACK_KEEP = 0.99999


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -15, 15)))


class FactorMachine:
    """Values are numbered; the first `users` are ids of the asking side, then come ids of the answered side, then side features."""

    def __init__(self, link, is_id, is_user, start, dense):
        n = len(is_id)
        self.link = link
        self.bias, self.vec = np.zeros(n), start.copy()
        self.bias_prior = np.where(is_id, ID_BIAS, ID_BIAS * SIDE_BIAS)
        self.bias_var = self.bias_prior.copy()
        self.bias_q = np.where(is_user, Q_USER, Q_REST)
        self.vec_prior = np.where(is_id, ID_FACTOR, SIDE_FACTOR)[:, None]
        self.vec_var = np.repeat(self.vec_prior, K, 1)
        self.w, self.w_var = np.zeros(dense), np.full(dense, DENSE)
        self.start, self.start_var = 0.0, 1.0

    def learn(self, a, b, c, x, y, weigh=lambda p, y: 1.0):
        every = np.array(a + b + c)
        p, q = self.vec[a].sum(0), self.vec[b].sum(0)
        z = self.start + self.bias[every].sum() + self.w @ x + p @ q
        s = self.start_var + self.bias_var[every].sum() + self.w_var @ x**2
        s += self.vec_var[a].sum(0) @ q**2 + self.vec_var[b].sum(0) @ p**2
        if self.link == "gaussian":
            h, g = 1 / NOISE, (y - z) / NOISE
            limit = HUBER * np.sqrt(h * (1 + h * s))
            g = np.clip(g, -limit, limit)
        else:
            prob = sigmoid(z)
            weight = weigh(prob, y)
            h, g = weight * max(H_MIN, prob * (1 - prob)), weight * (y - prob)
        step, shrink = g / (1 + h * s), h / (1 + h * s)

        def update(mean, var, dz, prior, noise):
            move = var * dz
            return mean + move * step, np.minimum(prior, var - move * move * shrink + noise * prior)

        self.bias[every], self.bias_var[every] = update(
            self.bias[every], self.bias_var[every], 1.0, self.bias_prior[every], self.bias_q[every]
        )
        for rows, dz in ((a, q), (b, p)):
            self.vec[rows], self.vec_var[rows] = update(
                self.vec[rows], self.vec_var[rows], dz, self.vec_prior[rows], Q_REST
            )
        self.w, self.w_var = update(self.w, self.w_var, x, DENSE, Q_SHARED)
        self.start, self.start_var = update(self.start, self.start_var, 1.0, 1.0, Q_SHARED)
        return float(z)


class Stack:
    def __init__(self, n, link):
        self.link, self.ridge = link, STACK_RIDGE[link]
        self.w, self.info = np.r_[np.full(n, 1 / n), 0.0], np.eye(n + 1) * self.ridge

    def learn(self, f, y, weigh=lambda p, y: 1.0):
        f = np.r_[f, 1.0]
        z = self.w @ f
        if self.link == "gaussian":
            h, g = 1.0, np.clip(y - z, -HUBER, HUBER)
        else:
            prob = sigmoid(z)
            weight = weigh(prob, y)
            h, g = weight * max(0.002, prob * (1 - prob)), weight * (y - prob)
        self.info = STACK_KEEP * self.info + (1 - STACK_KEEP) * self.ridge * np.eye(len(f)) + h * np.outer(f, f)
        self.w = self.w + np.linalg.solve(self.info, f * g)
        return float(z)


def fake_negatives(p, y):
    """Ktena et al. 2019: weights of the log loss, not differentiated."""
    return 1 + p if y == 1 else (1 - p) * (1 + p)


def main():
    rng = np.random.default_rng(5)
    users, items, sides, events = 9, 12, 6, 300
    n = users + items + sides
    start = rng.normal(size=(n, K)) * 0.03
    is_id, is_user = np.arange(n) < users + items, np.arange(n) < users
    cases = []
    for name in ("gaussian", "logistic", "fake negatives"):
        link = "gaussian" if name == "gaussian" else "logistic"
        weigh = {"weigh": fake_negatives} if name == "fake negatives" else {}
        machine, stack, log = FactorMachine(link, is_id, is_user, start, 2), Stack(3, link), []
        for event in range(events):
            a = [int(rng.integers(users)), users + items + int(rng.integers(2))]
            b = [users + int(rng.integers(items)), users + items + 2 + int(rng.integers(2))]
            c = [users + items + 4 + int(rng.integers(2))]
            x, f = rng.normal(size=2), rng.normal(size=3)
            y = float(rng.normal() + 0.5 * (a[0] % 3)) if link == "gaussian" else float(rng.random() < 0.3)
            if link == "gaussian" and event % 50 == 49:
                y = 40.0
            log.append(
                {"asking": a, "answered": b, "bias": c, "dense": x.tolist(), "y": y, "inputs": f.tolist()}
                | {"z": machine.learn(a, b, c, x, y, **weigh), "stacked": stack.learn(f, y, **weigh)}
            )
        cases.append({"name": name, "link": link, "log": log, "weights": stack.w.tolist()})
        cases[-1]["biasVariances"] = machine.bias_var.tolist()
    out = {"users": users, "ids": users + items, "starts": start.tolist(), "cases": cases}
    rounded = json.loads(json.dumps(out), parse_float=lambda text: float(f"{float(text):.9g}"))
    (Path(__file__).parent / "two-speed.json").write_text(json.dumps(rounded))


main()
