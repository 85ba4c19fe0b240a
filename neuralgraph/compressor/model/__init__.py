"""The vision-language model: Swin encoder, T5 decoder, tokenizer, preprocessing and the files they are kept in."""
