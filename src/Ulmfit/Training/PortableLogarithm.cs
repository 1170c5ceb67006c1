namespace Ulmfit.Training;

/// <summary>
/// The natural logarithm in plain multiplications and divisions: <see cref="Math.Log(double)"/> may differ in the last bit
/// between platforms, and which epoch is the best one must not depend on that.
/// </summary>
internal static class PortableLogarithm
{
    private const double Ln2 = 0.693147180559945309417;
    private const double SquareRootOfTwo = 1.41421356237309504880;

    /// <summary>ln x of a positive normal number, to a few units in the last place.</summary>
    public static double Of(double x)
    {
        int exponent = Math.ILogB(x);
        double mantissa = Math.ScaleB(x, -exponent);
        if (mantissa > SquareRootOfTwo)
        {
            mantissa /= 2;
            exponent++;
        }

        // ln m = 2·artanh((m − 1) / (m + 1)), whose argument is at most 0.172 here.
        double ratio = (mantissa - 1) / (mantissa + 1), square = ratio * ratio, power = ratio, sum = 0;
        for (int n = 1; n <= 23; n += 2)
        {
            sum += power / n;
            power *= square;
        }

        return (exponent * Ln2) + (2 * sum);
    }
}
