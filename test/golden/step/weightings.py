"""Task weightings for make.py, written apart from src/model/weighting: on the gradients themselves where the TypeScript has
only their products, with other solvers, and with torch.optim where the method has an optimiser. The stream's definitions
(running means, warm-up, bounds) are shared by description alone. rho is the class Box of the prototype `lookahead.py`.
"""
import itertools, math
import numpy as np
import torch

FAST, SLOW, LEAST = 0.95, 0.995, 0.02


def bounded(w, p, lo, hi):
    a, b, goal = -40.0, 40.0, sum(p)
    f = lambda m: [min(max(x * math.exp(m), q * lo), q * hi) for x, q in zip(w, p)]
    for _ in range(200):
        m = (a + b) / 2
        if sum(f(m)) < goal: a = m
        else: b = m
    return f(b)


class Xoshiro:
    """src/std/random.ts"""
    def __init__(s, seed):
        M = 0xffffffff; x = seed & M; s.v = []
        for _ in range(4):
            x = (x + 0x9e3779b9) & M; z = ((x ^ x >> 16) * 0x21f0aaad) & M; z = ((z ^ z >> 15) * 0x735a2d97) & M; s.v.append(z ^ z >> 15)

    def u32(s):
        M = 0xffffffff; a, b, c, d = s.v; rot = lambda x, k: (x << k | x >> (32 - k)) & M
        out = rot(b * 5 & M, 7) * 9 & M; t = b << 9 & M
        c ^= a; d ^= b; b ^= c; a ^= d; c ^= t; s.v = [a, b, c, rot(d, 11)]
        return out

    def uniform(s): return ((s.u32() >> 5) * 67108864 + (s.u32() >> 6)) / 9007199254740992
    def normal(s): u = 1 - s.uniform(); return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * s.uniform())


def step_seed(step, seed=1): return (seed ^ (step * 0x9e3779b1)) & 0xffffffff


class Base:
    scope = 'loss'
    def __init__(s, prior, c):
        s.p, s.w, s.K, s.c = prior, list(prior), len(prior), c
        s.fast = [[0.0, 0.0] for _ in prior]; s.slow = [[0.0, 0.0] for _ in prior]; s.setup()

    def setup(s): pass
    def means(s, L, n):
        for k in range(s.K):
            if n[k]:
                for m, keep in ((s.fast[k], FAST), (s.slow[k], SLOW)): m[0] = keep * m[0] + L[k]; m[1] = keep * m[1] + n[k]
    def slow_mean(s, k): return s.slow[k][0] / s.slow[k][1]
    def ratio(s, k): return (s.fast[k][0] / s.fast[k][1]) / s.slow_mean(k) if s.slow[k][1] else 1.0
    def update(s, step, L, n, taps, reps, after):
        s.means(L, n); s.see(step, L, n, taps, reps, after)
        if step > s.c['warmup']: s.w = bounded(s.weigh(step), s.p, *s.c['bounds'])
    def see(s, *_): pass


class Uncertainty(Base):
    def setup(s): s.s = torch.zeros(s.K, requires_grad=True); s.o = torch.optim.Adam([s.s], lr=s.c['rate'])
    def update(s, step, L, n, *_):
        if step <= s.c['warmup']: return
        s.o.zero_grad(); sum(p * (torch.exp(-q) * l + m * q / 2) for p, q, l, m in zip(s.p, s.s, L, n)).backward(); s.o.step()
        with torch.no_grad(): s.s.clamp_(-math.log(s.c['bounds'][1]), -math.log(s.c['bounds'][0]))
        s.w = [p * math.exp(-float(q)) for p, q in zip(s.p, s.s)]


class GradNorm(Base):
    def setup(s): s.norm = [0.0] * s.K
    def update(s, step, L, n, taps, *_):
        for k in range(s.K):
            if n[k]:
                g = math.sqrt(sum(float((q ** 2).sum()) for q in taps[k])); s.norm[k] = 0.9 * s.norm[k] + 0.1 * g if s.slow[k][1] else g
        s.means(L, n)
        if step <= s.c['warmup']: return
        seen = [k for k in range(s.K) if s.slow[k][1]]; r = [s.ratio(k) for k in range(s.K)]; mr = np.mean([r[k] for k in seen]); mg = np.mean([s.w[k] * s.norm[k] / s.p[k] for k in seen])
        new = [s.w[k] * math.exp(s.c['rate'] * np.sign(s.p[k] * mg * (r[k] / mr) ** s.c['alpha'] - s.w[k] * s.norm[k])) if n[k] else s.w[k] for k in range(s.K)]
        s.w = bounded(new, s.p, *s.c['bounds'])


class Dwa(Base):
    def weigh(s, _): return [p * math.exp(s.ratio(k) / 2) for k, p in enumerate(s.p)]


class Gls(Base):
    def weigh(s, _): return [p / s.slow_mean(k) if s.slow[k][1] else p for k, p in enumerate(s.p)]


class Rlw(Base):
    def weigh(s, step): x = Xoshiro(step_seed(step)); z = torch.softmax(torch.tensor([x.normal() for _ in s.p]), 0); return [p * float(q) for p, q in zip(s.p, z)]


class Famo(Base):
    """The official code's update (loss after, Jacobian of the softmax, Adam with weight decay .01)."""
    def setup(s): s.xi = torch.zeros(s.K, requires_grad=True); s.o = torch.optim.Adam([s.xi], lr=s.c['rate'], weight_decay=0.01)
    def see(s, step, L, n, taps, reps, after):
        if step <= s.c['warmup']: return
        d = torch.tensor([math.log(a / m + 1e-8) - math.log(b / m + 1e-8) if m else 0.0 for a, b, m in zip(L, after, n)])
        s.o.zero_grad(); s.xi.grad = torch.autograd.grad(torch.softmax(s.xi, -1), s.xi, grad_outputs=d)[0]; s.o.step()
    def weigh(s, _): z = torch.softmax(s.xi, -1); return [p * float(z[k]) / (s.slow_mean(k) if s.slow[k][1] else 1) for k, p in enumerate(s.p)]


class Products(Base):
    """Running products; then vectors with exactly these products stand for the gradients."""
    scope = 'trunk'
    def setup(s): s.M = np.zeros((s.K, s.K)); s.n = np.zeros((s.K, s.K))
    def see(s, step, L, n, taps, reps, after):
        shared = s.c['architecture'] not in ('single-task', 'shared-middle', 'aitm')
        for i in range(s.K):
            for j in range(s.K):
                if not (n[i] and n[j]): continue
                v = sum(float((a * b).sum()) for a, b in zip(taps[i], taps[j])) if shared or i == j else 0.0
                s.n[i, j] += 1; s.M[i, j] += max(LEAST, 1 / s.n[i, j]) * (v - s.M[i, j])
    def weigh(s, step):
        seen = [k for k in range(s.K) if s.M[k, k] > 0]; p = np.array(s.p)[seen]; A = s.M[np.ix_(seen, seen)] * np.outer(p, p)
        c = np.maximum(s.coefficients(A, step), 0); c = c * len(seen) / c.sum(); return [s.p[k] * c[seen.index(k)] if k in seen else s.p[k] for k in range(s.K)]


class ImtlG(Products):
    def coefficients(s, A, _):  # the paper's closed form: alpha_2.. = g_1 U^T (D U^T)^-1, with vectors of these products
        u = lambda k: 1 / math.sqrt(A[k, k]); K = len(A); e = np.eye(K)
        U = np.array([e[0] * u(0) - e[k] * u(k) for k in range(1, K)]); D = np.array([e[0] - e[k] for k in range(1, K)])
        a = e[0] @ A @ U.T @ np.linalg.inv(D @ A @ U.T); return np.concatenate([[1 - a.sum()], a])


def grid_minimum(K, f):
    """Exhaustive search on the simplex, refined around the best point; slow and sure for convex f."""
    best, r = np.full(K, 1 / K), 1.0
    for _ in range(140):
        lines = [np.clip(best[:-1, None] + r * np.linspace(-1, 1, 7), 0, 1)[k] for k in range(K - 1)]
        points = [np.array([*q, 1 - sum(q)]) for q in itertools.product(*lines) if sum(q) <= 1 + 1e-15] + [best]
        best = min(points, key=f); r *= 0.8
    return best


class Mgda(Products):
    def coefficients(s, A, _):
        K = len(A); best = None  # the optimum solves M_SS x = const on its support: try all supports
        for size in range(1, K + 1):
            for S in itertools.combinations(range(K), size):
                M = np.block([[A[np.ix_(S, S)], -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
                try: x = np.linalg.solve(M, np.array([0.0] * size + [1.0]))[:size]
                except np.linalg.LinAlgError: continue
                if x.min() < -1e-12: continue
                full = np.zeros(K); full[list(S)] = x; v = full @ A @ full
                if best is None or v < best[0] - 1e-15: best = (v, full)
        return best[1]


class CaGrad(Products):
    def coefficients(s, A, _):
        K = len(A); b = np.full(K, 1 / K); c = 0.5 * math.sqrt(b @ A @ b)
        x = grid_minimum(K, lambda q: q @ A @ b + c * math.sqrt(max(q @ A @ q, 0))); return b + c / math.sqrt(x @ A @ x) * x


class PcGrad(Products):
    def coefficients(s, A, step):
        G = np.linalg.cholesky(A + 1e-300 * np.eye(len(A))) if np.linalg.eigvalsh(A).min() > 1e-9 else (lambda w, V: V * np.sqrt(np.maximum(w, 0)))(*np.linalg.eigh(A))
        x = Xoshiro(step_seed(step)); total = np.zeros(G.shape[1]); K = len(A); C = np.zeros(K)
        for i in range(K):
            order = list(range(K)); v = G[i].copy(); own = np.eye(K)[i]
            for last in range(K - 1, 0, -1): o = math.floor(x.uniform() * (last + 1)); order[last], order[o] = order[o], order[last]
            for j in order:
                d = v @ G[j]
                if j != i and d < 0: v -= d / (G[j] @ G[j]) * G[j]; own[j] -= d / (G[j] @ G[j])
            total += v; C += own
        assert np.allclose(C @ G, total); return C


class Rho(Base):
    """lookahead.py, class Box, scheme rho: gradient of a virtual identity layer behind each representation."""
    scope = 'trunk'
    def setup(s): s.V, s.M, s.prev, s.t = [None] * s.K, [None] * s.K, [None] * s.K, [0] * s.K
    def update(s, step, L, n, taps, reps, after):
        for k in range(s.K):
            if not n[k]: continue
            s.t[k] += 1; b = max(LEAST, 1 / s.t[k])
            G = torch.cat([torch.einsum('bo,bi->oi', g, torch.cat([r, torch.ones(len(r), 1)], 1)).reshape(-1) for g, r in zip(taps[k], reps[k])])
            V = float(G @ G); s.V[k] = V if s.V[k] is None else s.V[k] + b * (V - s.V[k])
            if s.prev[k] is not None: X = float(G @ s.prev[k]); s.M[k] = X if s.M[k] is None else s.M[k] + b * (X - s.M[k])
            s.prev[k] = G
        if step <= s.c['warmup'] or any(m is None for m in s.M): return
        V, M, p = torch.tensor(s.V), torch.tensor(s.M), torch.tensor(s.p, dtype=torch.float64); lo, hi = s.c['bounds']
        rho = (M / (V + 1e-12)).clamp(min=.01); w = p * rho / (V.sqrt() + 1e-12); w = w / (w / p).log().mean().exp()
        w = torch.minimum(torch.maximum(w, p * lo), p * hi); s.w = (w * ((p ** 2 * V).sum() / ((w ** 2 * V).sum() + 1e-12)).sqrt()).tolist()


METHODS = dict(uncertainty=Uncertainty, gradnorm=GradNorm, dwa=Dwa, gls=Gls, rlw=Rlw, famo=Famo, mgda=Mgda, cagrad=CaGrad, pcgrad=PcGrad, rho=Rho)
METHODS['imtl-g'] = ImtlG
