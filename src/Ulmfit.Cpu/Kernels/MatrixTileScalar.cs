namespace Ulmfit.Cpu.Kernels;

/// <summary>The tile in scalars: the twin of the others, and the path of processors without vectors of fused multiply-adds.</summary>
internal readonly unsafe struct MatrixTileScalar : IMatrixTile
{
    public static int MaxRows => 4;

    public static void Run(int rows, float* a, nint aStride, float* b, int width, float* c, nint cStride, nint depth, float* start, nint startStride, float* ahead, nint aheadStep)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < width; column++)
            {
                float sum = start == null ? 0f : start[(row * startStride) + column];
                for (nint k = 0; k < depth; k++)
                {
                    sum = MathF.FusedMultiplyAdd(a[(k * aStride) + row], b[(k * width) + column], sum);
                }

                c[(row * cStride) + column] = sum;
            }
        }
    }
}
