"""What evaluation refuses; every message names the file, line, query or product.

InputError
└── EvaluationError
    ├── SuiteError         a suite's files contradict themselves or the catalogue
    │   ├── EmptySuite
    │   └── UnknownSuite   there is none by that name
    ├── RunError           a run cannot be read, repeated or compared
    │   └── UnknownRun     there is none by that name
    ├── ExperimentError    an experiment's file cannot be read, or asks for what there is not
    └── MeasureError       a run and its judgements cannot be measured
        ├── UnknownMeasure
        ├── EmptyRun
        ├── EmptyQrels     no judgements at all, or a query without a relevant product
        └── NotANumber
"""

from indexer.errors import InputError, NotFound


class EvaluationError(InputError):
    pass


class SuiteError(EvaluationError):
    pass


class EmptySuite(SuiteError):
    pass


class UnknownSuite(SuiteError, NotFound):
    pass


class RunError(EvaluationError):
    pass


class UnknownRun(RunError, NotFound):
    pass


class ExperimentError(EvaluationError):
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
