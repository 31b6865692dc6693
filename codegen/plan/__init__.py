"""Where each activation lives in the arena, and in which order the operators run.

    plan      an order and offsets; works on shapes alone
    arrange   the same, with inverted residuals fused where that lowers the arena, and inputs of
              concatenations made in place where that does not raise it
    verify    an independent check of a plan, byte by byte

``docs/memory-model.md`` explains the ideas.
"""

from codegen.plan.joining import arrange
from codegen.plan.layout import plan
from codegen.plan.types import ALIGNMENT_BYTES, Plan, PlanError
from codegen.plan.verify import verify

__all__ = ["ALIGNMENT_BYTES", "Plan", "PlanError", "arrange", "plan", "verify"]
