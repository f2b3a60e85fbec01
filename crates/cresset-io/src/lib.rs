//! Files of tensors for cresset: PyTorch's .pth both ways, safetensors, npy and npz.
