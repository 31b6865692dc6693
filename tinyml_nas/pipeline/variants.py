"""One network as several heads may read it: tapped, converted, quantized, and at work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from codegen.learners.base import Learner, widened
from scenarios.worlds.none import NoScenario
from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.design.taps.base import Taps
from tinyml_nas.network.shipped import SPEC_FILE
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline.bounds import dtype
from tinyml_nas.pipeline.compilers import HostCompiler
from tinyml_nas.pipeline.context import Context
from tinyml_nas.pipeline.fieldwork import Fieldwork, fieldwork_of
from tinyml_nas.pipeline.results import artifact_of, extractor_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.convert import convert
from tinyml_nas.pipeline.stages.quantize import quantize
from tinyml_nas.pipeline.stages.tap import tap
from tinyml_nas.study import Study
from tinyml_nas.types import Extractor, TorchModel


@dataclass(frozen=True)
class Variant:
    """A network, Φ_f and Φ_c of it, and where it works.

    ``spec`` is None of a user's own network, ``fieldwork`` without a scenario.
    """

    spec: NetworkSpec | None
    network: TorchModel
    extractor: Extractor
    fieldwork: Fieldwork | None


@dataclass(frozen=True)
class Variants:
    """What can be made of a study's network; what is asked for twice is made once."""

    context: Context
    study: Study
    network: TorchModel
    compiler: HostCompiler
    made: dict[str, Variant] = field(default_factory=dict)

    def of(self, taps: Taps, learner: Learner) -> Variant:
        """With these taps, and as many features as there is room for beside the ``learner``."""
        plain = _spec_of(self.network)
        spec = taps.tapped(plain, self._limits(learner))
        key = spec.to_json()
        if key not in self.made:
            self.made[key] = self._made(spec, spec != plain)
        return self.made[key]

    def _limits(self, learner: Learner) -> OmegaLimits:
        study, names = self.study, self.study.dataset.class_names
        if not isinstance(study.scenario, NoScenario):
            learner = widened(learner, max(study.dataset.classes, study.field.classes))
            names = max(names, study.field.class_names, key=lambda texts: len("".join(texts)))
        return OmegaLimits(study.device, study.memory, learner, names, 1, dtype(study))

    def _made(self, spec: NetworkSpec, is_tapped: bool) -> Variant:
        context, network = self.context, self.network
        train = Split(self.study.dataset, "train")
        if is_tapped:
            run = context.run(
                tap, network=network.artifact, taps=spec.taps, folded=spec.folded, train=train
            )
            sizes: dict[str, Any] = dict(run.value)
            network = replace(network, artifact=artifact_of(run), **sizes)
        validation = Split(self.study.dataset, "validation")
        keras = context.run(convert, network=network.artifact, images=validation)
        quantized = context.run(
            quantize,
            keras=artifact_of(keras),
            quantizer=self.study.quantizer,
            resolution=network.resolution,
            train=train,
        )
        extractor = extractor_of(quantized)
        fieldwork = fieldwork_of(context, self.study, extractor, self.compiler)
        return Variant(spec, network, extractor, fieldwork)


def _spec_of(network: TorchModel) -> NetworkSpec:
    text = (network.artifact.path / SPEC_FILE).read_text(encoding="utf-8")
    return NetworkSpec.from_json(text)
