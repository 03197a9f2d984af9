using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace V2XSim.Scenarios;

/// <summary>JSON Schema (2020-12) of scenario files, for editors. It is derived from the records that the YAML binder fills.</summary>
public static class ScenarioSchema
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Text()
    {
        JsonNode schema = Options.GetJsonSchemaAsNode(typeof(Scenario), new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = Describe,
        });
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        schema["title"] = "V2XSim scenario";
        return schema.ToJsonString(Indented);
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (schema is not JsonObject node)
        {
            return schema;
        }

        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
        {
            node["additionalProperties"] = false;

            // Computed properties cannot be set in a file.
            var settable = YamlBinder.PropertiesOf(context.TypeInfo.Type).Select(YamlBinder.NameOf).ToHashSet(StringComparer.Ordinal);
            foreach (string derived in (node["properties"] as JsonObject)?.Select(q => q.Key).Where(k => !settable.Contains(k)).ToList() ?? [])
            {
                ((JsonObject)node["properties"]!).Remove(derived);
            }

            string[] required = [.. YamlBinder.PropertiesOf(context.TypeInfo.Type)
                .Where(p => p.IsDefined(typeof(RequiredAttribute)) || p.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute)))
                .Select(YamlBinder.NameOf)];
            if (required.Length > 0)
            {
                node["required"] = new JsonArray([.. required.Select(r => (JsonNode)r)]);
            }
        }

        if (context.PropertyInfo?.AttributeProvider is MemberInfo member)
        {
            if (DefaultOf(member) is { } usual)
            {
                node["default"] = usual;
            }

            if (member.GetCustomAttribute<DescriptionAttribute>() is { } description)
            {
                node["description"] = description.Description;
            }

            if (member.GetCustomAttribute<RangeAttribute>() is { } range)
            {
                node["minimum"] = Convert.ToDouble(range.Minimum, System.Globalization.CultureInfo.InvariantCulture);
                node["maximum"] = Convert.ToDouble(range.Maximum, System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return node;
    }

    /// <summary>Default of a scalar property; null for groups, lists and required properties.</summary>
    private static JsonNode? DefaultOf(MemberInfo member)
    {
        if (member is not PropertyInfo { DeclaringType: { } owner } property
            || property.IsDefined(typeof(RequiredAttribute)) || property.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute)))
        {
            return null;
        }

        return property.GetValue(Activator.CreateInstance(owner)) switch
        {
            bool value => value,
            int value => value,
            ulong value => value,
            double value => value,
            Enum value => char.ToLowerInvariant(value.ToString()[0]) + value.ToString()[1..],
            string { Length: > 0 } value => value,
            _ => null,
        };
    }
}
