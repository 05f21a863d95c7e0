/* feat/stats/schema.c - `show schema json`: what `show info json` and `show stat json` answer, as a JSON schema (management.txt 9.3). */
#include "core/cli.h"

static const char schema[] =
        "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"oneOf\":[{\"title\":\"Info\","
        "\"type\":\"array\",\"items\":{\"title\":\"InfoItem\",\"type\":\"object\","
        "\"properties\":{\"field\":{\"$ref\":\"#/definitions/field\"},"
        "\"processNum\":{\"$ref\":\"#/definitions/processNum\"},\"tags\":{\"$ref\":\"#/definitions/tags\"},"
        "\"value\":{\"$ref\":\"#/definitions/value\"}},\"required\":[\"field\",\"processNum\",\"tags\","
        "\"value\"]}},{\"title\":\"Stat\",\"type\":\"array\",\"items\":{\"title\":\"InfoItem\","
        "\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"objType\":{\"enum\":[\"Frontend\",\"Backend\",\"Listener\",\"Server\"]},"
        "\"proxyId\":{\"type\":\"integer\",\"minimum\":0},\"id\":{\"type\":\"integer\",\"minimum\":0},"
        "\"field\":{\"$ref\":\"#/definitions/field\"},\"processNum\":{\"$ref\":\"#/definitions/processNum\"},"
        "\"tags\":{\"$ref\":\"#/definitions/tags\"},\"value\":{\"$ref\":\"#/definitions/value\"}},"
        "\"required\":[\"objType\",\"proxyId\",\"id\",\"field\",\"processNum\",\"tags\",\"value\"]}}}],"
        "\"definitions\":{\"field\":{\"type\":\"object\",\"properties\":{\"pos\":{\"type\":\"integer\","
        "\"minimum\":0},\"name\":{\"type\":\"string\"}},\"required\":[\"pos\",\"name\"]},"
        "\"processNum\":{\"type\":\"integer\",\"minimum\":1},\"tags\":{\"type\":\"object\","
        "\"properties\":{\"origin\":{\"enum\":[\"Metric\",\"Status\",\"Key\",\"Config\",\"Product\"]},"
        "\"nature\":{\"enum\":[\"Age\",\"Avg\",\"Counter\",\"Duration\",\"Gauge\",\"Limit\",\"Min\",\"Max\","
        "\"Name\",\"Output\",\"Rate\",\"Time\"]},\"scope\":{\"enum\":[\"Cluster\",\"Process\",\"Service\","
        "\"System\"]}},\"required\":[\"origin\",\"nature\",\"scope\"]},"
        "\"value\":{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"type\":{\"enum\":[\"s32\"]},"
        "\"value\":{\"type\":\"integer\",\"minimum\":-2147483648,\"maximum\":2147483647}},"
        "\"required\":[\"type\",\"value\"]},{\"type\":\"object\","
        "\"properties\":{\"type\":{\"enum\":[\"u32\"]},\"value\":{\"type\":\"integer\",\"minimum\":0,"
        "\"maximum\":4294967295}},\"required\":[\"type\",\"value\"]},{\"type\":\"object\","
        "\"properties\":{\"type\":{\"enum\":[\"s64\"]},\"value\":{\"type\":\"integer\"}},"
        "\"required\":[\"type\",\"value\"]},{\"type\":\"object\","
        "\"properties\":{\"type\":{\"enum\":[\"u64\"]},\"value\":{\"type\":\"integer\",\"minimum\":0}},"
        "\"required\":[\"type\",\"value\"]},{\"type\":\"object\","
        "\"properties\":{\"type\":{\"enum\":[\"str\"]},\"value\":{\"type\":\"string\"}},"
        "\"required\":[\"type\",\"value\"]}]}}}"
        "\n";

static void show_schema(struct cli_call *c)
{
        buf_add(c->out, schema, sizeof(schema) - 1);
}

static const struct cli_cmd cmd_schema = {
        .words = "show schema json",
        .help = "JSON schema of show info json and show stat json",
        .level = CLI_USER,
        .run = show_schema,
};
CLI_CMD(cmd_schema);
