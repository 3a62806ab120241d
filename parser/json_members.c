#include "parser/json_members.h"

#include "parser/json_check.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void wipe(gpointer text)
{
    explicit_bzero(text, strlen(text));
    g_free(text);
}

static void take_member(JsonObject *object, const char *name, JsonNode *node, gpointer self)
{
    (void)object;
    GHashTable *members = self;
    if (!JSON_NODE_HOLDS_VALUE(node))
        return;
    if (json_node_get_value_type(node) == G_TYPE_STRING)
        g_hash_table_insert(members, g_strdup(name), g_strdup(json_node_get_string(node)));
    else if (json_node_get_value_type(node) == G_TYPE_INT64)
        g_hash_table_insert(members, g_strdup(name),
                            g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node)));
}

GHashTable *json_members(const char *text, gsize length, const struct limits *limits, char **problem_r)
{
    gboolean limit;
    char *problem = g_utf8_validate(text, (gssize)length, NULL)
                        ? json_check(text, length, limits, NULL, &limit)
                        : g_strdup("it is not UTF-8");
    g_autoptr(GError) broken = NULL;
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!problem && !json_parser_load_from_data(parser, text, (gssize)length, &broken))
        problem = g_strdup("it is no JSON");
    JsonNode *root = problem ? NULL : json_parser_get_root(parser);
    if (!problem && !(root && JSON_NODE_HOLDS_OBJECT(root)))
        problem = g_strdup("it is no object");
    *problem_r = problem;
    if (problem)
        return NULL;
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    json_object_foreach_member(json_node_get_object(root), take_member, members);
    return members;
}
