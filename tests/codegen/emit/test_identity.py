"""What a generated project says of itself: digest, versions."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np

import codegen.version
from codegen.boards.board import load
from codegen.emit.digest import model_digest
from codegen.emit.emitter import API_VERSION, ROOT
from codegen.ir import Quantization
from codegen.learners.tybox import Tybox
from codegen.project import HeadWeights
from tests.support.mobile import mobile_project

# SHA-256 of the declarations of model.hpp, and of config.hpp's names, at API_VERSION.
DECLARATIONS = "4f2ff695d5bc1b0b"


def test_the_digest_is_the_models_and_nothing_elses(sample):
    images = sample.split("test").pixels[:1]
    project = mobile_project(load("pico2"), images, Tybox(0.01), 2)
    same = mobile_project(load("nucleo_1mb"), images, Tybox(0.5), 9)
    digest = model_digest(project)
    assert model_digest(replace(same, name="another")) == digest
    assert all(0 <= word < 2**32 for word in digest)

    weights = project.head.weights.copy()
    weights[3, 5] = np.nextafter(weights[3, 5], 1)
    assert model_digest(replace(project, head=HeadWeights(weights, project.head.bias))) != digest

    tensors = list(project.graph.tensors)
    position = next(i for i, t in enumerate(tensors) if t.constant and t.dtype == "int8")
    data = tensors[position].data.copy()
    data.flat[0] ^= 1
    tensors[position] = replace(tensors[position], data=data)
    assert model_digest(replace(project, graph=replace(project.graph, tensors=tensors))) != digest

    tensors = list(project.graph.tensors)
    tensors[-1] = replace(tensors[-1], quantization=Quantization((0.25,), (3,)))
    assert model_digest(replace(project, graph=replace(project.graph, tensors=tensors))) != digest


def test_the_header_says_it(emit_identity):
    project, tree = emit_identity()
    text = (tree / "include" / "tinyml" / "identity" / "identity.hpp").read_text()
    low, high = model_digest(project)
    assert f"kModelDigest = 0x{high:08X}{low:08X}U;" in text
    assert "#define TINYML_API_VERSION 30200\n" in text
    assert f'"tinyml-nas {codegen.version.VERSION}"' in text


def test_a_change_of_the_interface_changes_its_version():
    """If this fails: raise API_VERSION (major where a program could break), then put the digest."""
    text = (ROOT / "templates" / "include" / "tinyml" / "model.hpp").read_text()
    code = re.sub(r"//.*", "", text.split(" private:")[0])
    described = " ".join([*code.split(), *map(str, API_VERSION)])
    assert hashlib.sha256(described.encode()).hexdigest()[:16] == DECLARATIONS
