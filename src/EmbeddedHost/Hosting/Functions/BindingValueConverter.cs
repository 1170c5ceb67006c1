using System.ComponentModel;
using System.Globalization;

namespace EmbeddedHost;

/// <summary>Turns the text of a route, a query or a blob's path into a parameter's type.</summary>
internal static class BindingValueConverter
{
    /// <summary>Whether a type can be made out of text.</summary>
    public static bool CanConvert(Type type)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        return target == typeof(string) || target == typeof(object) || TypeDescriptor.GetConverter(target).CanConvertFrom(typeof(string));
    }

    /// <summary>Converts a value to a type.</summary>
    /// <param name="value">The text, or an object that already has the type.</param>
    /// <param name="type">The parameter's type.</param>
    /// <param name="name">The parameter's name, for the message.</param>
    /// <exception cref="BindingValueException">The text is not of that type.</exception>
    public static object? Convert(object? value, Type type, string name)
    {
        if (value is null || type.IsInstanceOfType(value))
        {
            return value;
        }

        Type target = Nullable.GetUnderlyingType(type) ?? type;
        string text = System.Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        if (target == typeof(string))
        {
            return text;
        }

        if (text.Length == 0 && Nullable.GetUnderlyingType(type) is not null)
        {
            return null;
        }

        try
        {
            return TypeDescriptor.GetConverter(target).ConvertFromInvariantString(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            throw new BindingValueException($"The value '{text}' of '{name}' is not a valid {target.Name}.", e);
        }
    }
}
