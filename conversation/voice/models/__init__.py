"""What models of ears and voice share: the threads they run on, and how ONNX files are opened."""
