"""The variants, in the order in which they are taught. A new one is one file and one import line here."""

# isort: off
from aecore.models import undercomplete  # noqa: F401  importing registers
from aecore.models import convolutional  # noqa: F401
from aecore.models import overcomplete  # noqa: F401
from aecore.models import sparse  # noqa: F401
from aecore.models import sparse_kl  # noqa: F401
from aecore.models import topk  # noqa: F401
from aecore.models import denoising  # noqa: F401
from aecore.models import contractive  # noqa: F401
from aecore.models import variational  # noqa: F401
from aecore.models import vector_quantised  # noqa: F401

# isort: on
from aecore.models.base import Autoencoder
from aecore.models.registry import VARIANTS, Variant, blueprint, build, find

__all__ = ["VARIANTS", "Autoencoder", "Variant", "blueprint", "build", "find"]
