"""PyTorch's side of bench/step.ts: one MMoE training step (batched experts, eager, fused Adam), one thread.

Reads lines "STEPS" from stdin; for each runs so many whole steps (host batch in, loss and dL/dx on the host out) and
prints the milliseconds of each as one JSON array. The first line it prints names the versions.
"""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

D, H1, H2, E, T, TH, B = (int(v) for v in sys.argv[1:8])
torch.set_num_threads(int(sys.argv[8]))
torch.manual_seed(0)


class Mmoe(torch.nn.Module):
    def __init__(self):
        super().__init__()
        p = lambda *shape: torch.nn.Parameter(torch.randn(*shape) * 0.1)
        self.w1, self.b1, self.w2, self.b2 = p(D, E * H1), p(E * H1), p(E, H1, H2), p(E, 1, H2)
        self.wg, self.bg = p(D, T * E), p(T * E)
        self.u1, self.c1, self.u2, self.c2 = p(T, H2, TH), p(T, 1, TH), p(T, TH, 1), p(T, 1, 1)

    def forward(self, x, y):
        h = torch.relu(torch.addmm(self.b1, x, self.w1)).view(-1, E, H1).transpose(0, 1)
        experts = torch.relu(torch.baddbmm(self.b2, h, self.w2))
        gates = torch.softmax(torch.addmm(self.bg, x, self.wg).view(-1, T, E), 2).permute(1, 2, 0)
        mixed = (gates.unsqueeze(3) * experts.unsqueeze(0)).sum(1)
        z = torch.baddbmm(self.c2, torch.relu(torch.baddbmm(self.c1, mixed, self.u1)), self.u2).squeeze(2)
        binary = F.binary_cross_entropy_with_logits(z[:2], y[:2], reduction='sum')
        return binary + 0.5 * F.mse_loss(z[2], y[2], reduction='sum')


model = Mmoe()
optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
rng = np.random.default_rng(0)
xs = [rng.random((B, D), dtype=np.float32) * 2 - 1 for _ in range(4)]
ys = [rng.integers(0, 2, (T, B)).astype(np.float32) for _ in range(4)]


def step(i):
    x = torch.from_numpy(xs[i % 4]).requires_grad_(True)
    x.grad = None
    optimizer.zero_grad(set_to_none=True)
    loss = model(x, torch.from_numpy(ys[i % 4]))
    loss.backward()
    optimizer.step()
    return loss.item(), x.grad.numpy()


print(json.dumps(f'PyTorch {torch.__version__}, {torch.get_num_threads()} thread(s)'), flush=True)
for line in sys.stdin:
    took = []
    for i in range(int(line)):
        start = time.perf_counter()
        step(i)
        took.append((time.perf_counter() - start) * 1e3)
    print(json.dumps(took), flush=True)
