from . import experiments, predictions

__all__ = ["experiments", "predictions"]
