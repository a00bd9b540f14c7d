"""What evaluation refuses; every message names the file, line, query or product.

InputError
└── EvaluationError
    ├── SuiteError         a suite's files contradict themselves or the catalogue
    │   └── EmptySuite
    ├── RunError           a run cannot be read, repeated or compared
    └── MeasureError       a run and its judgements cannot be measured
        ├── UnknownMeasure
        ├── EmptyRun
        ├── EmptyQrels     no judgements at all, or a query without a relevant product
        └── NotANumber
"""

from indexer.errors import InputError


class EvaluationError(InputError):
    pass


class SuiteError(EvaluationError):
    pass


class EmptySuite(SuiteError):
    pass


class RunError(EvaluationError):
    pass


class MeasureError(EvaluationError, ValueError):
    pass


class UnknownMeasure(MeasureError):
    pass


class EmptyRun(MeasureError):
    pass


class EmptyQrels(MeasureError):
    pass


class NotANumber(MeasureError):
    pass
