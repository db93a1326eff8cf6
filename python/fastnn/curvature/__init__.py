"""Second derivatives of the loss: products, spectra, critical points and ways out.

All in float64 whatever the network's dtype, in inference mode: dropout and other noise
are off, and `BatchNorm` uses its running statistics. Vectors have the order of
``net.parameters``. At corners, such as that of ReLU at 0, second derivatives are those
of either side; there, and only there, a product is not the change of the gradient.
"""

from fastnn.curvature.critical import CriticalPoint, critical_point
from fastnn.curvature.density import Density
from fastnn.curvature.escape import Escape
from fastnn.curvature.products import (
    gauss_newton_vector_product,
    hessian_matrix,
    hessian_vector_product,
)
from fastnn.curvature.spectrum import Spectrum, hessian_spectrum
from fastnn.curvature.trace import Trace, hessian_trace

__all__ = [
    "CriticalPoint",
    "Density",
    "Escape",
    "Spectrum",
    "Trace",
    "critical_point",
    "gauss_newton_vector_product",
    "hessian_matrix",
    "hessian_spectrum",
    "hessian_trace",
    "hessian_vector_product",
]
