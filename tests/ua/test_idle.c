/* What an idle connection keeps: thousands of them live in one stack, so each buffer and each thing of the handshake is given
 * back when it has done its work. bench/idle.c measures what is left. */
#include "test.h"

#include "api/stack.h"
#include "phone.h"
#include "ua/flow.h"

static struct lab l;

/* Returns how many there were. */
static unsigned assert_flows_keep_nothing(struct simnet_host *h)
{
    unsigned n = 0;

    SSI_LIST_EACH(node, &simnet_stack(h)->ua.flows)
    {
        struct ssi_flow *f = SSI_CONTAINER(node, struct ssi_flow, node);
        assert_int_equal(f->state, SSI_FLOW_OPEN);
        assert_null(f->framer.buf.data);
        assert_null(f->out.data);
        assert_null(f->waiting.data);
        assert_null(ssi_tls_session_output(f->tls)->data);
        assert_null(f->locate);
        assert_null(f->error);
        n++;
    }
    return n;
}

static void an_idle_connection_keeps_no_buffer(void **state)
{
    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    simnet_chunk(l.net, 100); /* messages come in pieces, and wait to be whole */
    lab_register(&l);
    simnet_run(l.net, 1000000, NULL, NULL);
    assert_int_equal(assert_flows_keep_nothing(l.server), 2);
    assert_int_equal(assert_flows_keep_nothing(l.alice.host), 1);
    simnet_run(l.net, 300000000, NULL, NULL); /* keep-alives and a refresh later */
    assert_int_equal(assert_flows_keep_nothing(l.server), 2);
    assert_int_equal(assert_flows_keep_nothing(l.alice.host), 1);
    lab_stop(&l);
}

static void a_connection_that_was_idle_says_in_full_why_it_failed(void **state)
{
    (void)state;
    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    lab_register(&l);
    simnet_run(l.net, 1000000, NULL, NULL);
    simnet_down(l.server, true);
    simnet_run(l.net, 100000, NULL, NULL);
    assert_int_equal(l.alice.reg_state, SECSIP_REGISTRATION_FAILED);
    assert_int_equal(l.alice.reg_result, SECSIP_E_NET_RESET);
    assert_non_null(strstr(l.alice.reg_text, "example.test (10.0.0.9:5061)"));
    simnet_down(l.server, false);
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_keeps_no_buffer),
        cmocka_unit_test(a_connection_that_was_idle_says_in_full_why_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
