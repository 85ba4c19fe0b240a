"""The vision-language model: Swin encoder, T5 decoder, tokenizer, preprocessing and the files they are kept in.

- ``backbone``: the vision encoder
- ``checkpoints``: a model from real checkpoints: a vision encoder (see ``vision_checkpoints``) and a T5
- ``configuration``: the configuration of the model: one JSON file, every field known by name
- ``files``: the directory a model lives in: safetensors and JSON, nothing that can carry code
- ``inference``: a model made ready for inference
- ``learnt_from``: which patients a model learnt from, as keyed hashes
- ``mean_attention``: the model's mean attention map
- ``model``: the network of the NEURAL paper
- ``neck``: a small neck between a pretrained backbone and the decoder
- ``position``: where a patch lies, told to the decoder: a learned 2-D signal that fits any grid
- ``preprocess``: from a film's pixels to the model's input, and from a grid cell back to a place on the film
- ``report_language``: the language of chest reports and clinical notes, as templates
- ``tokenizer``: report text to token ids and back, through one ``tokenizer.json``
- ``vision_checkpoints``: the vision part of a model from a checkpoint of others
"""
