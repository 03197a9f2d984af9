using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using V2XSim.Foundation;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace V2XSim.Scenarios;

/// <summary>The result of reading a document.</summary>
/// <param name="Value">The readable part of the document; null when nothing was readable.</param>
/// <param name="Problems">Problems found.</param>
/// <param name="Positions">Line and column, from 1, of every value by its path, such as <c>traffic.fcd</c>.</param>
public sealed record Bound<T>(T? Value, List<Problem> Problems, IReadOnlyDictionary<string, (int Line, int Column)> Positions)
    where T : class;

/// <summary>An object that stores its line and column in the file, both from 1.</summary>
public interface IPositioned
{
    int Line { get; set; }

    int Column { get; set; }
}

/// <summary>
/// Reads YAML (and so JSON) into records, by property name in camel case. It collects every problem with file, line and column:
/// unknown keys with the nearest valid name, values of the wrong type with the expected unit, values out of range and missing
/// keys. Aliases are rejected, and size and depth are limited, so that a small file cannot expand to a large document.
/// </summary>
public sealed class YamlBinder
{
    public const int MaximumBytes = 10 << 20;
    private const int MaximumDepth = 64;
    private readonly string _file;
    private readonly List<Problem> _problems = [];
    private readonly Dictionary<string, (int Line, int Column)> _positions = new(StringComparer.Ordinal);

    private YamlBinder(string file) => _file = file;

    /// <summary>Binds a document.</summary>
    /// <param name="text">Text of the document.</param>
    /// <param name="file">File name, for error messages.</param>
    /// <exception cref="BadInputException">Carries every problem found.</exception>
    public static T Bind<T>(string text, string file)
        where T : class
    {
        Bound<T> bound = TryBind<T>(text, file);
        return bound.Problems.Count == 0 && bound.Value is not null ? bound.Value : throw new BadInputException(bound.Problems);
    }

    /// <summary>Binds the valid part of a document, so that the caller can add checks before it reports all problems.</summary>
    public static Bound<T> TryBind<T>(string text, string file)
        where T : class
    {
        var binder = new YamlBinder(file);
        T? result = binder.BindDocument<T>(text);
        return new Bound<T>(result, binder._problems, binder._positions);
    }

    /// <summary>The key of a property in files.</summary>
    public static string NameOf(PropertyInfo property) => char.ToLowerInvariant(property.Name[0]) + property.Name[1..];

    /// <summary>Properties that a file may set.</summary>
    public static IEnumerable<PropertyInfo> PropertiesOf(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.CanWrite && p.GetIndexParameters().Length == 0 && !(typeof(IPositioned).IsAssignableFrom(type) && p.Name is nameof(IPositioned.Line) or nameof(IPositioned.Column)));

    private T? BindDocument<T>(string text)
        where T : class
    {
        if (Encoding.UTF8.GetByteCount(text) > MaximumBytes)
        {
            Add(null, string.Empty, $"the file is larger than {MaximumBytes >> 20} MB", "split it or make it smaller");
            return null;
        }

        try
        {
            if (!IsHarmless(text))
            {
                return null;
            }

            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count != 1)
            {
                Add(null, string.Empty, $"the file contains {stream.Documents.Count} documents", "give exactly one document");
                return null;
            }

            return (T?)Convert(typeof(T), stream.Documents[0].RootNode, string.Empty, null);
        }
        catch (YamlException e)
        {
            _problems.Add(new Problem(_file, (int)e.Start.Line, (int)e.Start.Column, string.Empty, $"not readable YAML or JSON: {e.Message}", "check indentation, colons and quotes near this place"));
            return null;
        }
    }

    private bool IsHarmless(string text)
    {
        var parser = new Parser(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            switch (parser.Current)
            {
                case AnchorAlias alias:
                    _problems.Add(new Problem(_file, (int)alias.Start.Line, (int)alias.Start.Column, string.Empty, "aliases (*name) are not supported", "repeat the value instead"));
                    return false;
                case MappingStart or SequenceStart when ++depth > MaximumDepth:
                    _problems.Add(new Problem(_file, (int)parser.Current.Start.Line, (int)parser.Current.Start.Column, string.Empty, $"the nesting is deeper than {MaximumDepth} levels", "reduce the nesting"));
                    return false;
                case MappingEnd or SequenceEnd:
                    depth--;
                    break;
                default:
                    break;
            }
        }

        return true;
    }

    private object? Convert(Type type, YamlNode node, string path, PropertyInfo? property)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (path.EndsWith(']'))
        {
            _positions[path] = ((int)node.Start.Line, (int)node.Start.Column);
        }

        if (node is YamlScalarNode { Value: null or "" or "null" or "~", Style: ScalarStyle.Plain } && target != typeof(string))
        {
            Add(node, path, "the value is missing", "give a value, or remove the key");
            return null;
        }

        if (target == typeof(string) || target.IsPrimitive || target.IsEnum)
        {
            return ConvertScalar(target, node, path, property);
        }

        if (ElementOf(target) is { } element)
        {
            return ConvertList(element, node, path);
        }

        return ConvertObject(target, node, path);
    }

    private object? ConvertObject(Type type, YamlNode node, string path)
    {
        if (node is not YamlMappingNode mapping)
        {
            Add(node, path, "a group of keys is required here", "put indented keys below it");
            return null;
        }

        object result = Activator.CreateInstance(type)!;
        if (result is IPositioned positioned)
        {
            (positioned.Line, positioned.Column) = ((int)node.Start.Line, (int)node.Start.Column);
        }

        Dictionary<string, PropertyInfo> properties = PropertiesOf(type).ToDictionary(NameOf, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = (keyNode as YamlScalarNode)?.Value ?? string.Empty, at = path.Length > 0 ? path + "." + key : key;
            if (!properties.TryGetValue(key, out PropertyInfo? property))
            {
                string? near = NearestName.Of(key, properties.Keys);
                Add(keyNode, at, "unknown key", near is null ? $"valid keys: {string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))}" : $"is '{near}' meant?");
                continue;
            }

            seen.Add(key);
            _positions[at] = ((int)keyNode.Start.Line, (int)keyNode.Start.Column);
            int before = _problems.Count;
            object? converted = Convert(property.PropertyType, value, at, property);
            if (_problems.Count == before)
            {
                property.SetValue(result, converted);
            }
        }

        foreach ((string name, PropertyInfo property) in properties)
        {
            bool needed = property.IsDefined(typeof(RequiredAttribute)) || property.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute));
            if (needed && !seen.Contains(name))
            {
                Add(node, path.Length > 0 ? path + "." + name : name, "the required key is missing", "add the key");
            }
        }

        return result;
    }

    private IList? ConvertList(Type element, YamlNode node, string path)
    {
        if (node is not YamlSequenceNode sequence)
        {
            Add(node, path, "a list is required here", "begin each item with '- '");
            return null;
        }

        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element))!;
        for (int i = 0; i < sequence.Children.Count; i++)
        {
            if (Convert(element, sequence.Children[i], $"{path}[{i}]", null) is { } item)
            {
                list.Add(item);
            }
        }

        return list;
    }

    private object? ConvertScalar(Type type, YamlNode node, string path, PropertyInfo? property)
    {
        if (node is not YamlScalarNode { Value: { } text })
        {
            Add(node, path, "a single value is required here", string.Empty);
            return null;
        }

        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(bool))
        {
            return text switch
            {
                "true" => true,
                "false" => false,
                _ => Fail($"'{text}' is not true or false", string.Empty),
            };
        }

        if (type.IsEnum)
        {
            string[] names = [.. Enum.GetNames(type).Select(n => char.ToLowerInvariant(n[0]) + n[1..])];
            int index = Array.IndexOf(names, text);
            return index >= 0
                ? Enum.Parse(type, Enum.GetNames(type)[index])
                : Fail($"'{text}' is not one of {string.Join(", ", names)}", NearestName.Of(text, names) is { } near ? $"is '{near}' meant?" : string.Empty);
        }

        object? number = type == typeof(ulong) && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong u) ? u
            : type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int i) ? i
            : type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double d) && double.IsFinite(d) ? d
            : null;
        if (number is null)
        {
            string kind = type == typeof(double) ? "a number" : "a whole number";
            string unit = UnitOf(path);
            return Fail($"'{text}' is not {kind}{(unit.Length > 0 ? $" of {unit}" : string.Empty)}", unit.Length > 0 ? $"give a number only, in {unit}" : string.Empty);
        }

        if (property?.GetCustomAttribute<RangeAttribute>() is { } range && number is double or int)
        {
            double value = System.Convert.ToDouble(number, CultureInfo.InvariantCulture);
            double low = System.Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture), high = System.Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
            if (value < low || value > high)
            {
                return Fail(
                    string.Create(CultureInfo.InvariantCulture, $"{text} is outside the range {low} to {high}"),
                    UnitOf(path) is { Length: > 0 } unit ? $"the unit is {unit}" : string.Empty);
            }
        }

        return number;

        object? Fail(string message, string remedy)
        {
            Add(node, path, message, remedy);
            return null;
        }
    }

    private static string UnitOf(string path)
    {
        foreach ((string suffix, string unit) in (ReadOnlySpan<(string, string)>)
        [
            ("MetresPerSecond", "metres per second"), ("BitsPerSecond", "bits per second"), ("Milliseconds", "milliseconds"), ("Seconds", "seconds"),
            ("Kilometres", "kilometres"), ("Metres", "metres"), ("Degrees", "degrees"), ("Hz", "hertz"),
        ])
        {
            if (path.EndsWith(suffix, StringComparison.Ordinal) || path.EndsWith(char.ToLowerInvariant(suffix[0]) + suffix[1..], StringComparison.Ordinal))
            {
                return unit;
            }
        }

        return string.Empty;
    }

    private static Type? ElementOf(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() is { } g && (g == typeof(IReadOnlyList<>) || g == typeof(List<>))
        ? type.GetGenericArguments()[0]
        : null;

    private void Add(YamlNode? node, string field, string message, string remedy) => _problems.Add(
        new Problem(_file, (int)(node?.Start.Line ?? 1), (int)(node?.Start.Column ?? 1), field, message, remedy));
}
