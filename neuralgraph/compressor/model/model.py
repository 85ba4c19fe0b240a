"""The network of the NEURAL paper: a Swin encoder for the film, a T5 decoder for the report, a classification head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import nn
from transformers import GenerationConfig, PreTrainedModel, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import ModelOutput

from neuralgraph.compressor.model.backbone import VisionEncoder, build_vision
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_directory
from neuralgraph.compressor.model.position import PositionSignal
from neuralgraph.errors import ModelError

__all__ = ["EncodedFilm", "NeuralGraphModel", "NeuralGraphOutput", "classification_loss"]

WEIGHTS_NAME = "model.safetensors"
_LARGE_FILM = 1 << 19
"""Pixels from which films go through the encoder one by one on a CPU; it takes 6 to 12 % less time for 960 x 960."""


class EncodedFilm(NamedTuple):
    """What the encoder makes of a batch of films of one size."""

    embedding: torch.Tensor
    """Patch embeddings v_i, before projection: [B, rows * cols, d], row-major cells."""
    memory: torch.Tensor
    """The same projected to the decoder's width, with the position signal: [B, rows * cols, d_model]."""
    rows: int
    cols: int


@dataclass
class NeuralGraphOutput(ModelOutput):  # type: ignore[misc]  # transformers has no types here
    """What ``NeuralGraphModel.forward`` returns; absent parts are None."""

    loss: torch.Tensor | None = None
    """Generation loss + classification_weight * classification loss, of those whose labels were given."""
    generation_loss: torch.Tensor | None = None
    classification_loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    """Report tokens: [B, T, vocabulary]."""
    class_logits: torch.Tensor | None = None
    """Findings: [B, labels]."""


class NeuralGraphModel(PreTrainedModel):  # type: ignore[misc]  # transformers has no types here
    """Film in, report and findings out; in between the patch embeddings and the cross-attention a study is made of.

    The T5 encoder is not there: the projected patches take its place. Weights of a pretrained T5 fit ``self.text``
    and weights of a timm Swin fit ``self.vision`` under their own names.
    """

    config_class = NeuralGraphConfig
    main_input_name = "pixels"
    _supports_sdpa = True

    def __init__(self, config: NeuralGraphConfig) -> None:
        super().__init__(config)
        vision, text = config.vision, config.text
        self.vision = build_vision(vision)
        width = config.projection_dim or text.d_model
        self.projection = nn.Sequential(
            nn.Linear(vision.dimension, width),
            nn.Dropout(config.projection_dropout),
            nn.ReLU(),
            nn.Linear(width, text.d_model),
        )
        self.position = PositionSignal(config.position_frequencies, text.d_model)
        self.text = T5ForConditionalGeneration(text.t5())
        # Nothing ever runs the text encoder, so its blocks (38 % of T5-base) are neither kept nor stored.
        self.text.encoder.block = nn.ModuleList()
        self.classifier = nn.Sequential(
            nn.Dropout(config.projection_dropout), nn.Linear(vision.dimension, len(config.labels))
        )
        self.label_weights: torch.Tensor | None = None
        """Weight of a present finding over an absent one in the classification loss, float32 [labels]; of training
        only, and not stored."""
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: timm, torch and T5 have initialised their own parts, and better than one rule for all."""

    def train(self, mode: bool = True) -> NeuralGraphModel:  # noqa: FBT001, FBT002  # torch's own signature
        """Training mode, but for the statistics of batch norms of a pretrained backbone, and for a frozen encoder.

        Statistics are no weights: they would move at a learning rate of 0 too, and some films of two kinds say little
        about either.
        """
        super().train(mode)
        if mode:
            if not any(weight.requires_grad for weight in self.vision.parameters()):
                self.vision.eval()
            if isinstance(self.vision, VisionEncoder):
                for module in self.vision.body.modules():
                    if isinstance(module, nn.modules.batchnorm._BatchNorm):
                        module.eval()
        return self

    def encode(self, pixels: torch.Tensor) -> EncodedFilm:
        """Encode films.

        Parameters
        ----------
        pixels : float [B, channels, H, W], H and W multiples of the total stride.

        Returns
        -------
        EncodedFilm : a grid of H / stride x W / stride patches.
        """
        cells = self._features(pixels)
        rows, cols = int(cells.shape[1]), int(cells.shape[2])
        embedding = cells.flatten(1, 2)
        memory = self.projection(embedding) + self.position(rows, cols)
        return EncodedFilm(embedding, memory, rows, cols)

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        """The last feature map: float [B, rows, cols, d]."""
        large = pixels.is_cpu and pixels.shape[-2] * pixels.shape[-1] >= _LARGE_FILM
        # One large film keeps a processor busy; several together outgrow its caches and are slower than in turns.
        parts = torch.split(pixels, 1) if large and not torch.is_grad_enabled() else (pixels,)
        maps: list[torch.Tensor] = [self.vision.forward_features(part) for part in parts]  # type: ignore[operator]
        return maps[0] if len(maps) == 1 else torch.cat(maps)

    def forward(
        self,
        pixels: torch.Tensor,
        labels: torch.Tensor | None = None,
        class_labels: torch.Tensor | None = None,
    ) -> NeuralGraphOutput:
        """The joint task of the paper: write the report, name the findings.

        Parameters
        ----------
        pixels : float [B, channels, H, W], H and W multiples of the total stride.
        labels : int64 [B, T], the report's tokens and the end token, -100 on padding.
        class_labels : float [B, labels], 0 to 1, NaN where a finding is not known.
        """
        encoded = self.encode(pixels)
        class_logits = self.classifier(encoded.embedding.mean(dim=1))
        output = NeuralGraphOutput(class_logits=class_logits)
        losses: list[torch.Tensor] = []
        if labels is not None:
            written = self.text(encoder_outputs=BaseModelOutput(last_hidden_state=encoded.memory), labels=labels)
            output.logits, output.generation_loss = written.logits, written.loss
            losses.append(written.loss)
        if class_labels is not None:
            output.classification_loss = classification_loss(class_logits, class_labels, self.label_weights)
            losses.append(self.config.classification_weight * output.classification_loss)
        if losses:
            output.loss = torch.stack(losses).sum()
        return output

    @torch.no_grad()
    def generate(self, encoded: EncodedFilm, *, beams: int = 1, limit: int | None = None) -> torch.Tensor:
        """Write reports: greedy for one beam, beam search for more, never sampled.

        Parameters
        ----------
        encoded : the films.
        beams : width of the search.
        limit : most tokens to write, ``config.opening`` included; ``config.max_generated_tokens`` when None.

        Returns
        -------
        int64 [B, T] : tokens without the start token; after the end token, padding.
        """
        text = self.config.text
        begun = [text.decoder_start_token_id, *self.config.opening][:limit]
        settings = GenerationConfig(
            max_length=1 + (limit or self.config.max_generated_tokens),
            num_beams=beams,
            do_sample=False,
            pad_token_id=text.pad_token_id,
            eos_token_id=text.eos_token_id,
            decoder_start_token_id=text.decoder_start_token_id,
            # Padding is no word; an untrained decoder would otherwise write it.
            suppress_tokens=sorted({text.pad_token_id, text.decoder_start_token_id} - {text.eos_token_id}),
        )
        tokens: torch.Tensor = self.text.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded.memory),
            attention_mask=encoded.memory.new_ones(encoded.memory.shape[:2], dtype=torch.long),
            decoder_input_ids=torch.tensor([begun], device=encoded.memory.device).expand(len(encoded.memory), -1),
            generation_config=settings,
        )
        return tokens[:, 1:]

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        state_dict: dict[str, torch.Tensor] | None = None,
        is_main_process: bool = True,
        **unused: Any,  # noqa: ARG002  # the Trainer's words for shards and the hub
    ) -> None:
        """Write ``config.json`` and ``model.safetensors``; the signature is the one transformers' Trainer calls.

        Parameters
        ----------
        save_directory : created when absent.
        state_dict : weights to write instead of the model's own.
        is_main_process : False writes nothing.
        unused : further settings of transformers, which one plain file has no use for.
        """
        if not is_main_process:
            return
        directory = Path(save_directory)
        directory.mkdir(parents=True, exist_ok=True)
        weights = self.state_dict() if state_dict is None else state_dict
        tied = self._tied_names()
        stored = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items() if name not in tied}
        self.config.write(directory)
        # Not save_file: its files are readable by their owner only, whatever the umask says.
        (directory / WEIGHTS_NAME).write_bytes(safetensors.torch.save(stored, metadata={"format": "pt"}))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        local_files_only: bool = False,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> NeuralGraphModel:
        """Load a model that ``save_pretrained`` wrote, ready for inference.

        Does not go through the loader of transformers, which follows adapters, quantisers and attention kernels named
        by the files it reads: here two files are read, and every weight must be in its place.

        Parameters
        ----------
        source : a directory, or ``owner/name`` on the Hugging Face hub.
        revision : branch, tag or commit on the hub.
        local_files_only : never ask the network; HF_HUB_OFFLINE=1 does the same.
        device : where the model goes.
        dtype : the precision it runs in, whatever precision it was stored in.

        Raises
        ------
        ModelError (E_MODEL) : files are missing or the weights do not fit the configuration.
        """
        directory = model_directory(
            source, needed=("config.json", WEIGHTS_NAME), revision=revision, local_files_only=local_files_only
        )
        config = NeuralGraphConfig.read(directory)
        # Building draws random numbers that loading overwrites; the caller's random state is not ours to advance.
        with torch.random.fork_rng(devices=[]):
            model = cls(config)
        try:
            weights = safetensors.torch.load_file(directory / WEIGHTS_NAME)
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise ModelError(
                "the weights are damaged or not safetensors", code="E_MODEL", where=WEIGHTS_NAME
            ) from error
        model._take(weights)
        model.tie_weights()
        model.to(device=device, dtype=dtype)
        if dtype == torch.float16:
            # The inner layer of T5 overflows float16; transformers keeps the same weights in float32.
            for name, module in model.text.named_modules():
                if name.endswith(".wo"):
                    module.to(torch.float32)
        model.eval()
        return model

    def _take(self, weights: dict[str, torch.Tensor]) -> None:
        """Copy weights in; all of them, and no others."""
        own = self.state_dict()
        expected = set(own) - self._tied_names()
        for kind, names in (("lack", expected - set(weights)), ("do not belong here:", set(weights) - set(own))):
            if names:
                raise ModelError(
                    f"{len(names)} weights {kind} {min(names)}: weights and config.json are of different models",
                    code="E_MODEL",
                    where=WEIGHTS_NAME,
                )
        for name, tensor in weights.items():
            if tensor.shape != own[name].shape:
                raise ModelError(
                    f"{name} is {list(tensor.shape)}, config.json says {list(own[name].shape)}",
                    code="E_MODEL",
                    where=WEIGHTS_NAME,
                )
        self.load_state_dict(weights, strict=False)

    def _tied_names(self) -> set[str]:
        """Names of weights that are other weights under a second name."""
        return set(self.all_tied_weights_keys)


def classification_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean binary cross-entropy over the findings that are known; 0 when none is.

    Parameters
    ----------
    logits : float [B, findings].
    labels : float [B, findings], 0 to 1, NaN where a finding is not known.
    weights : of a present finding over an absent one, float [findings]; None for 1.
    """
    known = ~labels.isnan()
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits,
        labels.nan_to_num().to(logits.dtype),
        reduction="none",
        pos_weight=None if weights is None else weights.to(logits),
    )
    return (loss * known).sum() / known.sum().clamp(min=1)
