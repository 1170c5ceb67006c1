using System.Numerics;
using MathNet.Numerics.Providers.LinearAlgebra;

namespace Ulmfit.Features;

/// <summary>
/// Decompositions of symmetric matrices by Math.NET's managed provider, asked for by itself: which provider the process
/// prefers, and with how many threads, is global state that fitted bits must not depend on.
/// </summary>
internal static class SymmetricMatrices
{
    private static ManagedLinearAlgebraProvider Provider => ManagedLinearAlgebraProvider.Instance;

    /// <summary>
    /// Eigenvalues in descending order and their orthonormal vectors, one a row <c>[order, order]</c>; of each vector the
    /// entry of the largest magnitude, the first of them, is positive.
    /// </summary>
    /// <param name="matrix">The matrix <c>[order, order]</c>; it is left alone.</param>
    /// <param name="order">Its order.</param>
    public static (double[] Values, double[] Vectors) Eigen(double[] matrix, int order)
    {
        var values = new Complex[order];
        double[] columns = new double[order * order], vectors = new double[order * order];
        Provider.EigenDecomp(true, order, (double[])matrix.Clone(), columns, values, new double[order * order]);

        // The provider orders them upwards and each vector lies in a column, column-major: so in a row of ours.
        var descending = new double[order];
        for (int i = 0; i < order; i++)
        {
            int from = order - 1 - i;
            descending[i] = values[from].Real;
            Span<double> vector = vectors.AsSpan(i * order, order);
            columns.AsSpan(from * order, order).CopyTo(vector);
            Orient(vector);
        }

        return (descending, vectors);
    }

    /// <summary>Solves A·X = B for a symmetric positive definite A.</summary>
    /// <param name="matrix">A <c>[order, order]</c>; its factor afterwards.</param>
    /// <param name="order">Its order.</param>
    /// <param name="right">The columns of B, one a row <c>[count, order]</c>; those of X afterwards.</param>
    /// <param name="count">How many.</param>
    public static void SolvePositiveDefinite(double[] matrix, int order, double[] right, int count)
    {
        Provider.CholeskyFactor(matrix, order);
        Provider.CholeskySolveFactored(matrix, order, right, count);
    }

    /// <summary>Turns a vector so that its entry of the largest magnitude, the first of them, is positive.</summary>
    public static void Orient(Span<double> vector)
    {
        int largest = 0;
        for (int j = 1; j < vector.Length; j++)
        {
            largest = Math.Abs(vector[j]) > Math.Abs(vector[largest]) ? j : largest;
        }

        if (vector[largest] < 0)
        {
            for (int j = 0; j < vector.Length; j++)
            {
                vector[j] = -vector[j];
            }
        }
    }
}
