"""Any ``VisionEncoderDecoderModel`` of transformers as a scorer, so that a report generator of one's own can prune.

The score is the sum that the paper takes: cross-attention of one decoder layer, the heads reduced, over the tokens of
the report. Such decoders have no common way to their queries and keys, so their attention is computed eagerly and
handed out by transformers: layers x heads x tokens x patches are held at once, unlike in ``ModelScorer``. Scores go
through the same ``Compressor``; pass one as ``Compressor(scorer, policy, extractor)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

from neuralgraph.compressor.attention import no_attention, over_heads, sum_over_tokens
from neuralgraph.compressor.model.files import model_directory
from neuralgraph.compressor.model.inference import ready_for_inference
from neuralgraph.compressor.model.preprocess import check_film
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.score_rules import Scoring, word_maps
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scoring import printable, until_end
from neuralgraph.errors import LimitError, ModelError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["EncoderDecoderScorer"]

_MOST_WRITTEN = 128
"""Tokens that are written where no report is given."""
_NO_LIMIT = 1 << 16
"""Tokens of a report for a decoder that names no limit of its own."""
_CODE_KEYS = {"auto_map", "quantization_config", "attn_implementation", "_attn_implementation"}
"""Fields by which a configuration makes the library fetch or run code of other people."""


class EncoderDecoderScorer:
    """Scores with a vision encoder and any decoder that looks at it.

    Parameters
    ----------
    model : its encoder gives tokens row by row, class tokens first; films are scaled to the size it was made for. It is
        made ready for inference in place.
    tokenizer : of its decoder.
    mean, std : (pixel - mean) / std makes its input, pixels from 0 to 1.
    digest : SHA-256, 64 hex digits, of the files it came from.
    name : what provenance calls it.
    trained : False for random weights.
    scoring : which cross-attention is summed; there is no other rule than the sum.

    Raises
    ------
    ModelError (E_MODEL) : the encoder's grid cannot be told from its configuration, or another rule is asked for.
    """

    def __init__(
        self,
        model: VisionEncoderDecoderModel,
        tokenizer: ReportTokenizer,
        *,
        digest: str,
        name: str = "encoder-decoder",
        trained: bool = True,
        mean: float = 0.5,
        std: float = 0.5,
        scoring: Scoring | None = None,
    ) -> None:
        self._scoring = scoring or Scoring()
        if self._scoring.rule != "sum":
            reason = f"an encoder-decoder is scored by sum, not by {self._scoring.rule}"
            raise ModelError(reason, code="E_MODEL", where="score")
        self._model = ready_for_inference(model)
        # Fused attention does not hand out its weights; the encoder keeps it.
        self._model.decoder.set_attn_implementation("eager")
        self._tokenizer = tokenizer
        self._mean, self._std = mean, std
        self.name, self.digest, self.trained = name, digest, trained
        self._height, self._width = _pair(_setting(model.config.encoder, "image_size"))
        self._rows, self._cols = _grid(model.config.encoder, self._height, self._width)
        longest = getattr(model.config.decoder, "max_position_embeddings", None)
        self._longest = int(longest) if longest else _NO_LIMIT
        self._channels = int(getattr(model.config.encoder, "num_channels", 3))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        local_files_only: bool = False,
        device: str = "cpu",
        scoring: Scoring | None = None,
    ) -> EncoderDecoderScorer:
        """Load config.json, model.safetensors and tokenizer.json, and preprocessor_config.json where there is one.

        Weights are read as safetensors only, and no code that comes with them is run.

        Raises
        ------
        ModelError (E_MODEL) : files are missing or do not belong together.
        """
        needed = ("config.json", "model.safetensors", "tokenizer.json")
        directory = model_directory(source, needed=needed, local_files_only=local_files_only)
        try:
            values = parsed_json((directory / "config.json").read_text(encoding="utf-8"))
            if not isinstance(values, dict) or values.get("model_type") != "vision-encoder-decoder":
                raise ModelError("this is not a VisionEncoderDecoderModel", code="E_MODEL", where="config.json")
            for part in (values, values.get("encoder", {}), values.get("decoder", {})):
                for key in _CODE_KEYS & set(part):
                    raise ModelError(
                        f"{key} would run or fetch what is not part of the model", code="E_MODEL", where="config.json"
                    )
            if (directory / "adapter_config.json").exists():
                raise ModelError(
                    "adapters are not followed; merge them into the weights", code="E_MODEL", where=str(source)
                )
            # The library's own loader: it knows the older names of the weights of every architecture.
            model, found = VisionEncoderDecoderModel.from_pretrained(
                directory, config=VisionEncoderDecoderConfig(**values), use_safetensors=True, local_files_only=True,
                trust_remote_code=False, output_loading_info=True,
            )  # fmt: skip
        except (OSError, ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
            raise ModelError("the model cannot be read", code="E_MODEL", where=str(source)) from error
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            if found[kind]:
                name = min(str(each) for each in found[kind])
                raise ModelError(
                    f"weights and config.json are of different models ({name})",
                    code="E_MODEL",
                    where="model.safetensors",
                )
        mean, std = _normalisation(directory / "preprocessor_config.json")
        return cls(
            model.to(device),
            ReportTokenizer.read(directory),
            digest=_digest(directory, (*needed, "preprocessor_config.json")),
            name=str(values.get("_name_or_path") or "encoder-decoder"),
            mean=mean,
            std=std,
            scoring=scoring,
        )

    @property
    def record(self) -> dict[str, Any]:
        """The method, for provenance."""
        return {
            "model": self.name,
            "digest": self.digest,
            "trained": self.trained,
            "layer": self._scoring.layer,
            "heads": self._scoring.heads,
            "dtype": str(self._model.dtype).removeprefix("torch."),
        }

    @torch.inference_mode()
    def __call__(
        self, films: Sequence[NDArray[np.floating[Any]]], reports: Sequence[str | None], *, words: bool = False
    ) -> list[ScoredFilm]:
        """Score films against reports, one after another; see ``Scorer``.

        Raises
        ------
        LimitError (E_LIMIT), SourceError, ModelError (E_MODEL_ATTENTION) : as ``ModelScorer``.
        ValueError : when there are not as many reports as films.
        """
        return [self._score(film, report, words=words) for film, report in zip(films, reports, strict=True)]

    def _score(self, film: NDArray[np.floating[Any]], report: str | None, *, words: bool) -> ScoredFilm:
        check_film(film)
        pixels = self._pixels(film)
        states = self._model.encoder(pixel_values=pixels).last_hidden_state
        if states.ndim == 4:  # a feature map, channels first
            states = states.flatten(2).transpose(1, 2)
        special = states.shape[1] - self._rows * self._cols
        if special < 0:
            raise ModelError(
                f"the encoder gives {states.shape[1]} states for a grid {self._cols} wide and {self._rows} high",
                code="E_MODEL",
                where="encoder",
            )
        given = report is not None and bool(report.strip())
        if report is not None and given:
            text = report
            ids, places = self._tokenizer.encode_places(report)
        else:
            ids = self._written(pixels)
            text, moved = printable(self._tokenizer.decode(ids))
            places = [(moved[start], moved[end]) for start, end in self._tokenizer.decoded_places(ids)]
        by_token = self._attention(states, ids)[:, :, :, special:]
        special_ids = self._tokenizer.special_ids
        counted = torch.tensor([[number not in special_ids for number in ids] or [False]], device=by_token.device)
        tokens = int(counted.sum())
        counted[0, 0] |= tokens == 0
        score = sum_over_tokens(by_token, counted, heads=self._scoring.heads)[0]
        if not bool(torch.isfinite(score).all()):
            raise no_attention("its cross-attention is not finite")
        maps = None
        if words:
            alone = over_heads(by_token, self._scoring.heads)[0, : len(ids)]
            maps = word_maps(text, places, alone.float().cpu().numpy())
        height, width = film.shape
        return ScoredFilm(
            embedding=states[0, special:].float().cpu().numpy(),
            score=score.float().cpu().numpy(),
            rows=self._rows,
            cols=self._cols,
            patch_height=height / self._rows,
            patch_width=width / self._cols,
            text=text,
            generated=not given,
            tokens=tokens,
            words=maps,
        )

    def _pixels(self, film: NDArray[np.floating[Any]]) -> torch.Tensor:
        """The film at the model's own size: [1, channels, height, width]; proportions are not kept."""
        pixels = torch.from_numpy(np.array(film, dtype=np.float32))[None, None]
        pixels = torch.nn.functional.interpolate(
            pixels, size=(self._height, self._width), mode="bilinear", antialias=True, align_corners=False
        )
        fitted = ((pixels - self._mean) / self._std).expand(1, self._channels, -1, -1)
        return fitted.to(device=self._model.device, dtype=self._model.dtype)

    def _written(self, pixels: torch.Tensor) -> list[int]:
        config = self._model.config
        start, end = _token(config, "decoder_start_token_id", "bos_token_id"), _token(config, "eos_token_id")
        written = self._model.generate(
            pixel_values=pixels, max_new_tokens=min(_MOST_WRITTEN, self._longest - 1), num_beams=1, do_sample=False,
            decoder_start_token_id=start, eos_token_id=end, pad_token_id=getattr(config, "pad_token_id", None) or end,
        )[0].tolist()  # fmt: skip
        return until_end(written[1:], end)

    def _attention(self, states: torch.Tensor, ids: list[int]) -> torch.Tensor:
        """Cross-attention of the chosen layer, mean over them for "all": [1, heads, T, states]."""
        if len(ids) > self._longest:
            raise LimitError(
                f"the report has {len(ids)} tokens, the decoder takes {self._longest}", code="E_LIMIT", where="report"
            )
        start = _token(self._model.config, "decoder_start_token_id", "bos_token_id")
        reads = torch.tensor([[start, *ids[:-1]]], device=states.device)
        if hasattr(self._model, "enc_to_dec_proj"):
            states = self._model.enc_to_dec_proj(states)
        layers = self._model.decoder(
            input_ids=reads, encoder_hidden_states=states, output_attentions=True, use_cache=False
        ).cross_attentions
        if not layers or any(one is None for one in layers):
            raise no_attention("its decoder hands out no cross-attention")
        if self._scoring.layer == "all":
            return torch.stack([one.float() for one in layers]).mean(dim=0)
        if not -len(layers) <= self._scoring.layer < len(layers):
            raise no_attention(f"its decoder has {len(layers)} layers, not a layer {self._scoring.layer}")
        chosen: torch.Tensor = layers[self._scoring.layer].float()
        return chosen


def _setting(config: Any, name: str) -> Any:
    value = getattr(config, name, None)
    if value is None:
        raise ModelError(
            f"the encoder's configuration has no {name}, so its grid is not known", code="E_MODEL", where="encoder"
        )
    return value


def _pair(value: Any) -> tuple[int, int]:
    return (int(value[0]), int(value[1])) if isinstance(value, list | tuple) else (int(value), int(value))


def _grid(config: Any, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the encoder's output: patches, halved by every further stage of a hierarchical encoder."""
    patch_height, patch_width = _pair(_setting(config, "patch_size"))
    stages = len(getattr(config, "depths", None) or [0]) - 1
    return -(-height // (patch_height << stages)), -(-width // (patch_width << stages))


def _token(config: Any, *names: str) -> int:
    for part in (config, config.decoder):
        for name in names:
            value = getattr(part, name, None)
            if isinstance(value, int):
                return value
    raise ModelError(f"the configuration has no {names[0]}", code="E_MODEL", where="config.json")


def _normalisation(path: Path) -> tuple[float, float]:
    """Mean and deviation over the channels: films are grey."""
    if not path.is_file():
        return 0.5, 0.5
    try:
        values = parsed_json(path.read_text(encoding="utf-8"))
        return float(np.mean(values.get("image_mean", 0.5))), float(np.mean(values.get("image_std", 0.5)))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError("the file is not a preprocessor's configuration", code="E_MODEL", where=path.name) from error


def _digest(directory: Path, names: tuple[str, ...]) -> str:
    whole = hashlib.sha256()
    for name in names:
        if (directory / name).is_file():
            with (directory / name).open("rb") as stream:
                part = hashlib.file_digest(stream, "sha256")
            whole.update(name.encode("ascii") + b"\0" + part.digest())
    return whole.hexdigest()
