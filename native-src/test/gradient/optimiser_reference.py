"""Prints the numbers in optimiser_reference.inc: parameters after 5 and after 50 steps of torch.optim.

    python3 optimiser_reference.py > optimiser_reference.inc
"""
import torch

ELEMENTS = 8
CASES = [
    ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0, dampening=0, weight_decay=0, nesterov=False)),
    ("sgd with weight decay", torch.optim.SGD, dict(lr=0.05, momentum=0, dampening=0, weight_decay=0.1, nesterov=False)),
    ("sgd with momentum", torch.optim.SGD, dict(lr=0.02, momentum=0.9, dampening=0, weight_decay=0, nesterov=False)),
    ("sgd with dampening", torch.optim.SGD, dict(lr=0.02, momentum=0.8, dampening=0.3, weight_decay=0.02, nesterov=False)),
    ("sgd with nesterov", torch.optim.SGD, dict(lr=0.02, momentum=0.9, dampening=0, weight_decay=0.05, nesterov=True)),
    ("adam", torch.optim.Adam, dict(lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0)),
    ("adam with weight decay", torch.optim.Adam, dict(lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
    ("adamw", torch.optim.AdamW, dict(lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)),
    ("adamw with more decay", torch.optim.AdamW, dict(lr=0.02, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
]


def value(step, element):
    """Exact in every floating type but bfloat16; optimiser_test.cc has the same function."""
    return ((((step + 1) * 2654435761 + (element + 1) * 40503) >> 7) % 4096) / 1024 - 2


def parameters_after(optimiser, settings, dtype):
    parameters = torch.tensor([value(0, i) for i in range(ELEMENTS)], dtype=dtype, requires_grad=True)
    optimiser = optimiser([parameters], **settings)
    for step in range(1, 51):
        parameters.grad = torch.tensor([value(step, i) for i in range(ELEMENTS)], dtype=dtype)
        optimiser.step()
        if step in (5, 50):
            yield parameters.tolist()


print(f"// From PyTorch {torch.__version__} by optimiser_reference.py.")
for name, optimiser, settings in CASES:
    print(f'{{"{name}",')
    for dtype in (torch.float32, torch.float64):
        rows = ["{" + ", ".join("%.17g" % x for x in row) + "}" for row in parameters_after(optimiser, settings, dtype)]
        print(" {{" + ",\n   ".join(rows) + "}},")
    print("},")
