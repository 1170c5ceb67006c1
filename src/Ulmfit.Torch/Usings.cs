// Both the product and TorchSharp call their arrays Tensor: here a Tensor is libtorch's, a StateTensor the product's.
global using StateTensor = Ulmfit.Model.Tensor;
global using Tensor = TorchSharp.torch.Tensor;
global using Device = TorchSharp.torch.Device;
