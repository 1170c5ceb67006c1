using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace Ulmfit.Onnx.Execution;

/// <summary>How ONNX Runtime's sessions are opened here.</summary>
internal static class Sessions
{
    // Of x86 processors those with VNNI, in one of its two encodings; the others saturate sums of products of unsigned by signed bytes,
    // and so would give other answers. Other processors have instructions that do not.
    private static bool MultipliesInt8Exactly
    {
        get
        {
            if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7)
            {
                return !X86Base.IsSupported;
            }

            const int Avx512Vnni = 1 << 11, AvxVnni = 1 << 4;
            (int subleaves, _, int features, _) = X86Base.CpuId(7, 0);
            return (Avx512BW.IsSupported && (features & Avx512Vnni) != 0)
                || (Avx2.IsSupported && subleaves >= 1 && (X86Base.CpuId(7, 1).Eax & AvxVnni) != 0);
        }
    }

    /// <summary>Opens a session.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">How many threads a run may use.</param>
    /// <param name="given">Its constants that the model lacks, if there are any; they have to outlive the session.</param>
    /// <exception cref="InvalidDataException">ONNX Runtime refuses the model.</exception>
    public static InferenceSession Open(byte[] model, int threads, GivenConstants? given = null)
    {
        using var options = new SessionOptions
        {
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            InterOpNumThreads = 1,
            IntraOpNumThreads = threads,
            // Runs differ in their shapes, so a plan for each of them would only grow. How large a run may be is bounded, and so is the arena.
            EnableMemoryPattern = false,
            EnableCpuMemArena = true,
        };
        // Waiting threads give their core to the other pools of the process.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (!MultipliesInt8Exactly)
        {
            // Makes the weights unsigned, whose products are exact there too. Where they are exact anyway it would only be slow.
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
        }

        try
        {
            given?.AddTo(options);
            return new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"ONNX Runtime cannot load the model: {e.Message}", e);
        }
    }
}
