# FTRL-proximal (McMahan et al. 2013, algorithm 1) of one binary feature, in float64: the weight after each gradient.
# Writes ftrl.json beside it. Python 3.11, no packages.
import json, math, os, random, struct
random.seed(3)
alpha, beta, l1, l2 = .05, 1.0, .5, 1.0
to_float32 = lambda x: struct.unpack('f', struct.pack('f', x))[0]
gradients = [to_float32(random.gauss(.4, .5)) for _ in range(40)] + [to_float32(random.gauss(-.6, .8)) for _ in range(60)]
def weight(z, n):
    return 0.0 if abs(z) <= l1 else -(z - math.copysign(l1, z)) / ((beta + math.sqrt(n)) / alpha + l2)
z = n = 0.0
weights = []
for g in gradients:
    sigma = (math.sqrt(n + g * g) - math.sqrt(n)) / alpha
    z, n = z + g - sigma * weight(z, n), n + g * g
    weights.append(weight(z, n))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ftrl.json'), 'w') as file:
    json.dump({'alpha': alpha, 'beta': beta, 'l1': l1, 'l2': l2, 'gradients': gradients, 'weights': weights}, file)
