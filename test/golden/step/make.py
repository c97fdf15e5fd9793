"""Golden values of the deep part's step, in float64 with PyTorch autograd: python3 make.py [part of a name] (torch 2.15, numpy 2.4).

Written apart from the TypeScript: experts one by one, losses from torch.nn.functional where it has them, gradients of one
task by autograd.grad, torch.optim.Adam, task weights in weightings.py. Only names, shapes and the documented host-side statistics are shared.
Inputs are multiples of 1/256, so float32 holds them exactly. test/unit/model/golden.test.ts reads the files.
"""
import json, math, os, sys
import numpy as np
import torch
import torch.nn.functional as F
from weightings import METHODS

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
BINARY3 = [dict(name='click', head='binary', prior=1), dict(name='buy', head='binary', prior=2), dict(name='like', head='binary', prior=0.5)]
MIXED = [dict(name='click', head='binary', prior=1), dict(name='rating', head='regression', range=[1, 5], prior=1.5),
         dict(name='stars', head='ordinal', range=[1, 5], prior=1), dict(name='price', head='regression', prior=0.5)]
LEVELS = [dict(name='stars', head='distribution', range=[1, 5], prior=1.5), dict(name='click', head='binary', prior=1), dict(name='price', head='regression', prior=0.5),
          dict(name='up', head='distribution', range=[0, 1], prior=0.7)]
CLASSES = [dict(name='mood', head='categorical', classes=['a', 'b', 'c'], of=['b'], prior=1.5), dict(name='click', head='binary', prior=1),
           dict(name='kind', head='categorical', classes=['a', 'b', 'c', 'd'], of=['a', 'd'], prior=0.7), dict(name='stars', head='distribution', range=[1, 5], prior=1)]
TWO = [dict(name='up', head='ordinal', range=[0, 1], prior=1), dict(name='click', head='binary', prior=1)]
BASE = dict(architecture='shared-bottom', hidden=[6, 5], experts=3, tower=3, interaction='fm', dim=4, l2=0.0, clipGradient=0.0,
            slots=3, dense=2, funnel='esmm+', method='manual', rate=0.025, alpha=1.5, bounds=[0.05, 20.0], warmup=1,
            adam=dict(rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8), tasks=MIXED, batches=[6, 3, 1, 5, 4])
CASES = {f'{a}-{w}': dict(architecture=a, method=w) for a in ('single-task', 'shared-bottom', 'mmoe') for w in ('manual', 'uncertainty', 'gradnorm')}
FUNNEL = [dict(name='view', head='binary', prior=1), dict(name='click', head='binary', given='view', prior=1), dict(name='price', head='regression', prior=0.5),
          dict(name='buy', head='binary', given='click', prior=2)]
FAKE = [{**t, 'late': 'fake-negative-weighted'} if t['name'] in ('click', 'buy') else t for t in FUNNEL]
KEPT = [{**t, 'keep': 0.25} if t['name'] in ('view', 'buy') else t for t in FUNNEL]
CASES.update({f'shared-bottom-{w}': dict(method=w) for w in METHODS})
CASES.update({f'mmoe-{w}': dict(architecture='mmoe', method=w) for w in ('cagrad', 'famo', 'rho')})
CASES.update({f'single-task-{w}': dict(architecture='single-task', method=w) for w in ('mgda', 'rho')})
CASES.update({
    'funnel-esmm': dict(tasks=FUNNEL, funnel='esmm'), 'funnel-esmm+': dict(tasks=FUNNEL), 'funnel-mmoe-rho': dict(tasks=FUNNEL, architecture='mmoe', method='rho'),
    'shared-middle-manual': dict(architecture='shared-middle'), 'shared-middle-rho': dict(architecture='shared-middle', hidden=[6, 5, 4], method='rho'),
    'ple-manual': dict(architecture='ple'), 'ple-cagrad': dict(architecture='ple', method='cagrad', hidden=[5, 4, 4]), 'ple-rho': dict(architecture='ple', method='rho', experts=2), 'ple-one-level': dict(architecture='ple', hidden=[5], tasks=BINARY3),
    'funnel-aitm': dict(architecture='aitm', tasks=FUNNEL), 'funnel-aitm-rho': dict(architecture='aitm', tasks=FUNNEL, method='rho'), 'funnel-aitm-gradnorm': dict(architecture='aitm', tasks=FUNNEL, method='gradnorm'), 'funnel-ple': dict(architecture='ple', tasks=FUNNEL),
    'funnel-famo': dict(tasks=FUNNEL, method='famo'), 'binary-no-slots-rho': dict(slots=0, tasks=BINARY3, method='rho'), 'bounded-mgda': dict(tasks=BINARY3, method='mgda', bounds=[0.6, 1.7]),
    'binary-mmoe-gradnorm': dict(architecture='mmoe', method='gradnorm', tasks=BINARY3),
    'binary-bounded-uncertainty': dict(method='uncertainty', tasks=BINARY3, bounds=[0.97, 1.02]),
    'binary-bounded-gradnorm': dict(method='gradnorm', tasks=BINARY3, bounds=[0.97, 1.02]),
    'clipped-decayed': dict(clipGradient=0.5, l2=0.01),
    'two-levels': dict(tasks=TWO),
    'levels-manual': dict(tasks=LEVELS), 'levels-clipped': dict(tasks=LEVELS, clipGradient=0.5, l2=0.01), **{f'levels-{a}-{w}': dict(tasks=LEVELS, architecture=a, method=w) for a, w in
      (('mmoe', 'gradnorm'), ('ple', 'cagrad'), ('single-task', 'mgda'), ('shared-middle', 'famo'), ('shared-bottom', 'rho'), ('mmoe', 'rho'), ('shared-bottom', 'uncertainty'))},
    'classes-manual': dict(tasks=CLASSES), **{f'classes-{a}-{w}': dict(tasks=CLASSES, architecture=a, method=w) for a, w in (('mmoe', 'gradnorm'), ('ple', 'rho'), ('single-task', 'famo'))},
    'levels-aitm': dict(architecture='aitm', tasks=FUNNEL[:2] + LEVELS[:1]),
    'one-hidden-layer-mmoe': dict(architecture='mmoe', hidden=[5], tasks=BINARY3),
    'no-interaction': dict(interaction='none', tasks=BINARY3),
    'one-slot': dict(slots=1, tasks=BINARY3),
    'no-dense': dict(dense=0, tasks=BINARY3),
    'no-slots': dict(slots=0, tasks=BINARY3),
    'funnel-kept-negatives': dict(tasks=KEPT), 'aitm-kept-negatives': dict(architecture='aitm', tasks=KEPT),
    'funnel-fake-negatives': dict(tasks=FAKE), 'funnel-aitm-fake-negatives': dict(architecture='aitm', tasks=FAKE),
    'binary-fake-negatives-mgda': dict(tasks=[BINARY3[0], {**BINARY3[1], 'late': 'fake-negative-weighted'}, BINARY3[2]], method='mgda'),
})


SOFTMAX = ('distribution', 'categorical')


def levels(t):
    return len(t['classes']) if t['head'] == 'categorical' else t['range'][1] - t['range'][0] + 1


def level_of(t, y):
    """Labels of a categorical task: the class from 1, negative if it is not asked for."""
    return (y.abs() - 1 if t['head'] == 'categorical' else y - t['range'][0]).long()


def grid(rng, scale, *shape):
    return torch.tensor(np.round(rng.normal(0, scale, shape) * 256) / 256)


def shapes(c):
    K, E, T, H = len(c['tasks']), c['experts'], c['tower'], c['hidden']
    pooled = c['dim'] if c['interaction'] == 'fm' and c['slots'] >= 2 else 0
    width = c['slots'] * c['dim'] + c['dense'] + pooled
    out, before = {}, width
    for i, h in enumerate(H):
        if c['architecture'] == 'shared-bottom':
            out[f'trunk.{i}.weight'], out[f'trunk.{i}.bias'] = (before, h), (h,)
        elif c['architecture'] == 'shared-middle':
            if i == 0: out['entry.0.weight'], out['entry.0.bias'] = (before, K * h), (K * h,)
            else: out[f'middle.{i - 1}.weight'], out[f'middle.{i - 1}.bias'] = (1, before, h), (h,)
        elif c['architecture'] == 'ple':
            for p, n in (('own', h), ('gate', E + 1)):
                out[f'{p}.{i}.weight'] = (before, K * n) if i == 0 else (K, before, n)
                out[f'{p}.{i}.bias'] = (K * n,) if i == 0 else (K, 1, n)
            out[f'shared.{i}.weight'], out[f'shared.{i}.bias'] = (before, E * h), (E * h,)
            if i < len(H) - 1: out[f'onward.{i}.weight'], out[f'onward.{i}.bias'] = (before, E + K), (E + K,)
        else:
            n, p = (K, 'trunk') if c['architecture'] in ('single-task', 'aitm') else (E, 'expert')
            out[f'{p}.{i}.weight'] = (before, n * h) if i == 0 else (n, before, h)
            out[f'{p}.{i}.bias'] = (n * h,) if i == 0 else (n, 1, h)
        before = h
    for k, t in enumerate(c['tasks']):
        if c['architecture'] == 'aitm' and 'given' in t:
            out[f'transfer.{k}.weight'], out[f'transfer.{k}.bias'], out[f'attention.{k}'] = (before, before), (before,), (before, 3 * before)
    if c['architecture'] == 'mmoe':
        out['gate.weight'], out['gate.bias'] = (width, K * E), (K * E,)
    if c['architecture'] == 'shared-bottom':
        out['tower.weight'], out['tower.bias'], out['tower.output'] = (before, K * T), (K * T,), (K * T,)
    else:
        out['tower.weight'], out['tower.bias'], out['tower.output'] = (K, before, T), (K, 1, T), (K, 1, T)
    if c['dense'] + pooled:
        out['linear.weight'] = (c['dense'] + pooled, K)
    out['linear.bias'] = (K,)
    for k, t in enumerate(c['tasks']):
        if t['head'] == 'ordinal':
            out[f'ordinal.{k}'] = (1, t['range'][1] - t['range'][0])
    for k, t in enumerate(c['tasks']):
        if t['head'] in SOFTMAX:
            L = levels(t)
            out[f'softmax.{k}.weight'], out[f'softmax.{k}.bias'] = (T + 1, L), (1, L)
    return out


def forward(c, P, embedded, dense, offset):
    """z [B, K], hidden layers of the towers (apart from z) and, per task, its own taps of the representations at which weightings compare gradients."""
    K, E, T, H = len(c['tasks']), c['experts'], c['tower'], c['hidden']
    wide, parts = [dense] if c['dense'] else [], [embedded] if c['slots'] else []
    if c['interaction'] == 'fm' and c['slots'] >= 2:
        v = embedded.reshape(len(embedded), c['slots'], c['dim'])
        wide.append(3 * sum(v[:, i] * v[:, j] for i in range(c['slots']) for j in range(i)))
    x = torch.cat(parts + wide, 1)

    def mlp(prefix, which, count):
        y = x
        for i, h in enumerate(H):
            W, b = P[f'{prefix}.{i}.weight'], P[f'{prefix}.{i}.bias']
            if which is None:
                y = torch.relu(y @ W + b)
            elif i == 0:
                y = torch.relu(y @ W[:, which * h:(which + 1) * h] + b[which * h:(which + 1) * h])
            else:
                y = torch.relu(y @ W[which] + b[which, 0])
        return y

    if c['architecture'] == 'shared-bottom':
        h = mlp('trunk', None, 1)
        tops = [h.clone() for _ in range(K)]
        reps = [[t] for t in tops]
    elif c['architecture'] == 'single-task':
        tops = [mlp('trunk', k, K) for k in range(K)]
        reps = [[h] for h in tops]
    elif c['architecture'] == 'shared-middle':
        tops = []
        for k in range(K):
            h = torch.relu(x @ P['entry.0.weight'][:, k * H[0]:(k + 1) * H[0]] + P['entry.0.bias'][k * H[0]:(k + 1) * H[0]])
            for i in range(len(H) - 1): h = torch.relu(h @ P[f'middle.{i}.weight'][0] + P[f'middle.{i}.bias'])
            tops.append(h)
        reps = [[h] for h in tops]
    elif c['architecture'] == 'aitm':
        tops, d = [mlp('trunk', k, K) for k in range(K)], H[-1]
        for k in range(K):
            if 'given' not in c['tasks'][k]: continue
            p = torch.relu(tops[path(c, k)[1]] @ P[f'transfer.{k}.weight'] + P[f'transfer.{k}.bias'])
            V, Ke, Q = P[f'attention.{k}'].split(d, 1); pair = [p, tops[k]]
            a = torch.softmax(torch.stack([(u @ Ke * (u @ Q)).sum(1) / math.sqrt(d) for u in pair], 1), 1)
            tops[k] = sum(a[:, i:i + 1] * (u @ V) for i, u in enumerate(pair))
        tops = [h.clone() for h in tops]  # what the own tower sends back, without what comes through the transfer
        reps = [[h] for h in tops]
    elif c['architecture'] == 'ple':
        t, s = [x] * K, x
        for i, h in enumerate(H):
            part = lambda n, k, w: (P[f'{n}.{i}.weight'][:, k * w:(k + 1) * w], P[f'{n}.{i}.bias'][k * w:(k + 1) * w]) if i == 0 or n == 'shared' else (P[f'{n}.{i}.weight'][k], P[f'{n}.{i}.bias'][k, 0])
            lin = lambda v, wb: v @ wb[0] + wb[1]
            own = [torch.relu(lin(t[k], part('own', k, h))) for k in range(K)]; shared = [torch.relu(lin(s, part('shared', e, h))) for e in range(E)]
            gates = [torch.softmax(lin(t[k], part('gate', k, E + 1)), 1) for k in range(K)]
            reps = [[f.clone() for f in shared] for _ in range(K)]
            if i < len(H) - 1:
                o = torch.softmax(s @ P[f'onward.{i}.weight'] + P[f'onward.{i}.bias'], 1); s = sum(o[:, j:j + 1] * f for j, f in enumerate(shared + own))
            t = [sum(gates[k][:, e:e + 1] * reps[k][e] for e in range(E)) + gates[k][:, E:] * own[k] for k in range(K)]
        tops = t
    else:
        experts = [mlp('expert', e, E) for e in range(E)]
        scores = x @ P['gate.weight'] + P['gate.bias']
        gates = [torch.softmax(scores[:, k * E:(k + 1) * E], 1) for k in range(K)]
        reps = [[e.clone() for e in experts] for _ in range(K)]
        tops = [sum(gates[k][:, e:e + 1] * reps[k][e] for e in range(E)) for k in range(K)]
    z, hid = [], []
    for k in range(K):
        if c['architecture'] == 'shared-bottom':
            s = slice(k * T, (k + 1) * T)
            U, b, u = P['tower.weight'][:, s], P['tower.bias'][s], P['tower.output'][s]
        else:
            U, b, u = P['tower.weight'][k], P['tower.bias'][k, 0], P['tower.output'][k, 0]
        z.append(torch.relu(tops[k] @ U + b) @ u); hid.append(torch.relu(tops[k] @ U + b))
    z = torch.stack(z, 1) + offset + P['linear.bias']
    if wide:
        z = z + torch.cat(wide, 1) @ P['linear.weight']
    return z, hid, reps


class Head:
    """What the host keeps of a task (src/model/heads)."""
    def __init__(s, t):
        s.t, s.n, s.en, s.e = t, 20.0, 20.0, 1.0
        s.pos = 2.0
        if t['head'] in SOFTMAX: s.by = np.full(levels(t), 20 / levels(t))
        s.keep = t.get('keep', 1)  # of a step of a funnel that is a product all negatives are learned
        if t['head'] == 'regression':
            r = t.get('range')
            s.c, s.v = ((r[0] + r[1]) / 2, ((r[1] - r[0]) / 4) ** 2) if r else (0.0, 1.0)
            if not r: s.n = 0.0

    def shift(s):
        return math.log(s.pos / (s.n - s.pos)) + math.log(s.keep) if s.t['head'] == 'binary' else 0.0

    def prepare(s, y):
        if s.t['head'] == 'regression' and s.n == 0 and len(y):
            s.c = float(y.mean()); v = float(((y - s.c) ** 2).mean()); s.v = v if v > 0 else max(s.c ** 2, 1.0)

    def scale(s):
        r = s.t.get('range')
        return (r[1] - r[0]) / 4 if r else math.sqrt(s.v)

    def observe(s, y, z):
        n = len(y)
        if n == 0 or s.t['head'] == 'ordinal': return
        if s.t['head'] in SOFTMAX:
            s.by = s.by * math.exp(-n / 50000)
            for j in level_of(s.t, y).tolist(): s.by[j] += 1
            return
        if s.t['head'] == 'binary':
            s.n = s.n * math.exp(-n / 50000) + n; s.pos = s.pos * math.exp(-n / 50000) + float(y.sum()); return
        kept = s.en * math.exp(-n / 1600); s.e = (kept * s.e + float((((y - s.c) / s.scale() - z) ** 2).sum())) / (kept + n); s.en = kept + n
        kept = s.n * math.exp(-n / 50000); new = kept + n; c = s.c + (float(y.sum()) - n * s.c) / new
        s.v = (kept * (s.v + (s.c - c) ** 2) + float(((y - c) ** 2).sum())) / new; s.c, s.n = c, new


def thresholds(raw):
    t = [raw[0, 0]]
    for j in range(1, raw.shape[1]): t.append(t[-1] + F.softplus(raw[0, j]) + 1e-3)
    return torch.stack(t)


def fake_negative_loss(p, y):
    """The paper's: log loss with weights that are not differentiated. Reported is the function that has this gradient."""
    w = torch.where(y > 0, 1 + p, (1 - p) * (1 + p)).detach()
    l = F.binary_cross_entropy(p, y, w, reduction='sum')
    return l + (torch.where(y > 0, -torch.log(p) - p, p + p * p / 2).sum() - l).detach()


def level_logits(P, k, head, z, hid):
    W = P[f'softmax.{k}.weight']
    return hid @ W[:-1] + z[:, None] * W[-1] + P[f'softmax.{k}.bias'] + torch.tensor(np.log(head.by / head.by.sum()))


def task_loss(c, P, k, head, z, hid, y):
    """Summed loss of the counted rows, and the values of all rows are made by `value`."""
    t = c['tasks'][k]
    if head.keep < 1: p = torch.sigmoid(z); return F.binary_cross_entropy(p / (p + (1 - p) * head.keep), y, reduction='sum')
    if 'late' in t: return fake_negative_loss(torch.sigmoid(z), y)
    if t['head'] == 'binary': return F.binary_cross_entropy_with_logits(z, y, reduction='sum')
    if t['head'] == 'regression': return (((y - head.c) / head.scale() - z) ** 2).sum() / 2 / max(head.e, 1e-3)
    if t['head'] in SOFTMAX: return F.cross_entropy(level_logits(P, k, head, z, hid), level_of(t, y), reduction='sum')
    th = thresholds(P[f'ordinal.{k}']); q = torch.sigmoid(z[:, None] - th[None])     # P(y > j)
    q = torch.cat([torch.ones(len(z), 1), q, torch.zeros(len(z), 1)], 1); level = (y - t['range'][0]).long()[:, None]
    return -torch.log(q.gather(1, level) - q.gather(1, level + 1)).sum()


def path(c, k):
    """A task and those before it in its funnel."""
    before = [j for j, t in enumerate(c['tasks']) if t['name'] == c['tasks'][k].get('given')]
    return [k] + (path(c, before[0]) if before else [])


def loss_of(c, P, k, head, z, hid, y, mask):
    """z [B, K], y and mask [B] of task k."""
    if c['architecture'] == 'aitm' and 'given' in c['tasks'][k]:
        p = torch.sigmoid(z); return task_loss(c, P, k, head, z[mask > 0, k], hid[mask > 0], y[mask > 0]) + 0.6 * torch.relu(p[:, k] - p[:, path(c, k)[1]])[mask > 0].sum()
    if 'given' not in c['tasks'][k]: return task_loss(c, P, k, head, z[mask > 0, k], hid[mask > 0], y[mask > 0])
    p = torch.sigmoid(z[mask > 0][:, path(c, k)]).prod(1); p = p / (p + (1 - p) * c['tasks'][k].get('keep', 1))
    l = fake_negative_loss(p, y[mask > 0]) if 'late' in c['tasks'][k] else F.binary_cross_entropy(p, y[mask > 0], reduction='sum')
    return l + (task_loss(c, P, k, head, z[mask == 3, k], hid[mask == 3], y[mask == 3]) if c['funnel'] == 'esmm+' else 0)


def value(c, P, k, head, z, hid):
    t = c['tasks'][k]
    if 'given' in t and c['architecture'] != 'aitm': return torch.sigmoid(z[:, path(c, k)]).prod(1)
    z = z[:, k]
    if t['head'] == 'binary': return torch.sigmoid(z)
    if t['head'] == 'categorical': return torch.softmax(level_logits(P, k, head, z, hid), 1)[:, [i for i, q in enumerate(t['classes']) if q in t['of']]].sum(1)
    if t['head'] == 'distribution': return t['range'][0] + torch.softmax(level_logits(P, k, head, z, hid), 1) @ torch.arange(len(head.by)).double()
    if t['head'] == 'ordinal': return t['range'][0] + torch.sigmoid(z[:, None] - thresholds(P[f'ordinal.{k}'])[None]).sum(1)
    v = head.c + head.scale() * z
    return v.clamp(*t['range']) if 'range' in t else v


def run(name, c):
    rng = np.random.default_rng(sum(map(ord, name))); K = len(c['tasks'])
    start = {n: grid(rng, 0.4, *s) for n, s in shapes(c).items()}
    P = {n: v.clone().requires_grad_() for n, v in start.items()}
    a = c['adam']; opt = torch.optim.Adam(P.values(), lr=a['rate'], betas=(a['beta1'], a['beta2']), eps=a['epsilon'], weight_decay=c['l2'])
    heads = [Head({k: v for k, v in t.items() if k != 'keep' or 'given' not in t or c['architecture'] == 'aitm'}) for t in c['tasks']]; prior = [t['prior'] for t in c['tasks']]; steps = []
    weighting = METHODS[c['method']](prior, c) if c['method'] != 'manual' else None
    trunk = [n for n in P if n.split('.')[0] not in ('tower', 'linear', 'ordinal', 'softmax')]
    for step, n in enumerate(c['batches'], 1):
        embedded = grid(rng, 0.7, n, c['slots'] * c['dim']).requires_grad_(); dense = grid(rng, 1, n, c['dense']); offset = grid(rng, 0.3, n, K).requires_grad_()
        labels = torch.zeros(n, K); mask = torch.tensor(rng.random((n, K)) < 0.7).int()
        if step == 4: mask[:, 0] = 0                       # a task without a label
        for k, t in enumerate(c['tasks']):
            if t['head'] == 'binary': labels[:, k] = torch.tensor((rng.random(n) < 0.4) * 1.0)
            elif t['head'] in ('ordinal', 'distribution'): labels[:, k] = torch.tensor(rng.integers(t['range'][0], t['range'][1] + 1, n) * 1.0)
            elif t['head'] == 'categorical': labels[:, k] = torch.tensor([(j + 1.0) * (1 if t['classes'][j] in t['of'] else -1) for j in rng.integers(0, levels(t), n)])
            elif 'range' in t: labels[:, k] = torch.tensor(rng.integers(2, 11, n) / 2)
            else: labels[:, k] = torch.tensor(rng.integers(50, 400, n) / 4)
            if 'given' in t: mask[:, k] *= torch.tensor(np.where(rng.random(n) < 0.6, 3, 1)).int()
        head_mask = [mask[:, k] == 3 if 'given' in t and c['architecture'] != 'aitm' else mask[:, k] > 0 for k, t in enumerate(c['tasks'])]
        own = [labels[head_mask[k], k] for k in range(K)]; counts = [int((mask[:, k] > 0).sum()) for k in range(K)]
        for k in range(K): heads[k].prepare(own[k])
        shift = torch.tensor([h.shift() for h in heads])
        losses = lambda z, hid: [loss_of(c, P, k, heads[k], z, hid[k], labels[:, k], mask[:, k]) for k in range(K)]
        z, hid, reps = forward(c, P, embedded, dense, offset + shift); L = losses(z, hid)
        w = weighting.w if weighting else prior; by_trunk = weighting is not None and weighting.scope == 'trunk'
        direct = prior if by_trunk else w; joint = sum(u * l for u, l in zip(direct, L))
        # Per head: gradients at its taps, of the loss without the head's own weight.
        taps = [[torch.zeros_like(r) if g is None else g / direct[k] for r, g in zip(reps[k], torch.autograd.grad(joint, reps[k], retain_graph=True, allow_unused=True))] for k in range(K)]
        values = torch.stack([value(c, P, k, heads[k], z, hid[k]) for k in range(K)], 1)
        opt.zero_grad(); joint.backward(retain_graph=True)
        if by_trunk:  # what each head sends down, times its weight: z_k as a function of trunk and rows, with everything else held
            dz = torch.autograd.grad(joint, z, retain_graph=True)[0]; low = [P[q] for q in trunk] + ([embedded] if c['slots'] else [])
            dh = [torch.zeros_like(h) if g is None else g for h, g in zip(hid, torch.autograd.grad(joint, hid, retain_graph=True, allow_unused=True))]
            sent = sum(w[k] / prior[k] * ((z[:, k] * dz[:, k]).sum() + (hid[k] * dh[k]).sum()) for k in range(K))
            for p, g in zip(low, torch.autograd.grad(sent, low, allow_unused=True)): p.grad = torch.zeros_like(p) if g is None else g
        if c['clipGradient']: torch.nn.utils.clip_grad_norm_(P.values(), c['clipGradient'])
        opt.step()
        rd = lambda v: [float(f'{q:.9g}') for q in torch.as_tensor(v).detach().double().reshape(-1).tolist()]
        steps.append(dict(n=n, embedded=rd(embedded), dense=rd(dense), offset=rd(offset), labels=rd(labels), mask=mask.reshape(-1).tolist(), loss=rd(joint)[0],
                          values=rd(values), taskLosses=rd([float(l) / max(m, 1) for l, m in zip(L, counts)]), taskWeights=rd(w),
                          embeddedGradient=rd(embedded.grad) if c['slots'] else [], offsetGradient=rd(offset.grad)))
        if weighting:
            with torch.no_grad(): after = [float(l) for l in losses(*forward(c, P, embedded, dense, offset + shift)[:2])]
            weighting.update(step, [float(l) for l in L], counts, taps, [[r.detach() for r in q] for q in reps], after)
        for k in range(K): heads[k].observe(own[k], z.detach()[head_mask[k], k])
    settings = {k: v for k, v in c.items() if k != 'batches'}
    end = {n: rd(v) for n, v in P.items()}
    json.dump(dict(settings=settings, start={n: v.reshape(-1).tolist() for n, v in start.items()}, steps=steps, end=end), open(f'{HERE}/{name}.json', 'w'))


for name, over in CASES.items():
    if len(sys.argv) < 2 or any(part in name for part in sys.argv[1:]): run(name, {**BASE, **over})
