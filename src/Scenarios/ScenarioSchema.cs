using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace V2XSim.Scenarios;

/// <summary>JSON Schema (2020-12) of scenario files, from the same records that are bound, for editors.</summary>
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
}
