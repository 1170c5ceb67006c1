using System.Reflection;
using FsCheck;
using FsCheck.Fluent;

namespace Ulmfit.Cpu.Tests;

/// <summary>The least and the greatest value of a case's member.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class BetweenAttribute(int least, int most) : Attribute
{
    public int Least { get; } = least;

    public int Most { get; } = most;
}

/// <summary>
/// Something that holds in every case. A case is a record whose constructor takes integers with a
/// <see cref="BetweenAttribute"/>, truth values, enumeration values, and last a seed for the numbers of the case. Cases
/// are the same in every run; one that fails is reported after FsCheck has made its members as small as it can.
/// </summary>
internal static class Law
{
    public static void Holds<T>(int cases, Action<T> law)
        where T : notnull
    {
        ConstructorInfo constructor = typeof(T).GetConstructors()[0];
        PropertyInfo[] members = [.. constructor.GetParameters().Select(p => typeof(T).GetProperty(p.Name!)!)];
        Arbitrary<T> arbitrary = Arb.From(Gen.Choose(0, int.MaxValue - 1).Select(seed => Make(new Random(seed))), Smaller);
        Check.One(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(cases).WithReplay(20180118, 1), Prop.ForAll(arbitrary, law));

        T Make(Random random) => (T)constructor.Invoke([.. constructor.GetParameters().Select(p => Draw(p, random))]);

        IEnumerable<T> Smaller(T value)
        {
            object?[] values = [.. members.Select(m => m.GetValue(value))];
            for (int i = 0; i < values.Length; i++)
            {
                foreach (object simpler in Simpler(constructor.GetParameters()[i], values[i]!))
                {
                    object?[] changed = [.. values];
                    changed[i] = simpler;
                    yield return (T)constructor.Invoke(changed);
                }
            }
        }
    }

    private static object Draw(ParameterInfo parameter, Random random)
    {
        if (parameter.ParameterType == typeof(bool))
        {
            return random.Next(2) == 0;
        }

        if (parameter.ParameterType.IsEnum)
        {
            Array values = Enum.GetValues(parameter.ParameterType);
            return values.GetValue(random.Next(values.Length))!;
        }

        if (parameter.GetCustomAttribute<BetweenAttribute>() is not { } between)
        {
            return random.Next();
        }

        // The ends often, small values more often than large ones.
        double place = random.Next(8) switch { 0 => 0, 1 => 1, _ => Math.Pow(random.NextDouble(), 2) };
        return between.Least + (int)Math.Round((between.Most - between.Least) * place);
    }

    private static IEnumerable<object> Simpler(ParameterInfo parameter, object value)
    {
        if (value is true)
        {
            yield return false;
        }
        else if (value is Enum && Convert.ToInt32(value, null) > 0)
        {
            yield return Enum.ToObject(parameter.ParameterType, 0);
        }
        else if (value is int number && parameter.GetCustomAttribute<BetweenAttribute>() is { } between)
        {
            for (int step = number - between.Least; step > 0; step /= 2)
            {
                yield return number - step;
            }
        }
    }
}
