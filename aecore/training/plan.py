"""How long and how fast to learn."""

from dataclasses import dataclass

from aecore.knobs import Config, knob


@dataclass(frozen=True)
class Plan(Config):
    """The knobs of a training run. The same plan, data and model give the same losses on the same kind of processor."""

    epochs: int = knob(30, 1, 500, log=True, label="Epochs", help="How many times the run goes through all training pictures.")
    seconds: int = knob(600, 1, 36_000, log=True, label="Time limit (s)", help="The run ends after this many seconds of learning.")
    batch: int = knob(128, 8, 2048, log=True, label="Batch size", help="Pictures per step. Fewer: more steps, more noise.")
    rate: float = knob(3e-3, 1e-5, 1e-1, log=True, label="Learning rate", help="The largest step size of the Adam optimiser.")
    schedule: str = knob(
        "one-cycle",
        options=("one-cycle", "cosine", "constant"),
        label="Schedule",
        help="How the learning rate changes: one-cycle rises, then falls; cosine only falls; constant stays.",
    )
    patience: int = knob(
        0, 0, 100, label="Patience", help="Reports without a better validation loss before an early stop; 0 never stops early."
    )
    seed: int = knob(0, 0, 2**31 - 1, label="Seed", help="Where all randomness starts. Same seed, same numbers.")
    train_on_test: bool = knob(
        False,
        label="Train on test pictures too",
        help="The code then knows the test pictures: a common trick in competitions, since no label is needed.",
    )
