/* The table of a call: what happens in each phase for each input. Layer: ua. An empty cell means that the input cannot
 * matter there any more (a late event) and is passed over; a request in such a cell is refused with 481. */
#include "ua/call.h"

static const struct ssi_call_cell table[SSI_CALL_N_PHASES][SSI_CALL_N_INPUTS] = {
    [SSI_CALL_CONNECT] =
        {
            [SSI_CALL_FLOW_OPEN] = {ssi_call_out_flow_open, "open ports, send INVITE", "13.2.1"},
            [SSI_CALL_FLOW_LOST] = {ssi_call_out_flow_lost, "end", "17.1.4"},
            [SSI_CALL_HANGUP] = {ssi_call_out_give_up, "end", "nothing was sent yet"},
        },
    [SSI_CALL_INVITING] =
        {
            [SSI_CALL_FLOW_LOST] = {ssi_call_out_flow_died, "connect to the next server, or end",
                                    "17.1.4, 8.1.3.1; RFC 3263 4.3"},
            [SSI_CALL_PROVISIONAL] = {ssi_call_out_provisional, "tell; start early media",
                                      "13.2.2.1"},
            [SSI_CALL_SUCCESS] = {ssi_call_out_success,
                                  "send ACK, check the answer, start media, or send BYE",
                                  "13.2.2.4"},
            [SSI_CALL_REFUSAL] = {ssi_call_out_refusal,
                                  "answer a challenge, offer SRTP in another way, connect to the "
                                  "next server on 503, or end",
                                  "13.2.2.2, 13.2.2.3, 22.2; RFC 3263 4.3"},
            [SSI_CALL_NO_ANSWER] = {ssi_call_out_silence,
                                    "connect to the next server where there was no response at "
                                    "all, or end",
                                    "17.1.1.2; RFC 3263 4.3"},
            [SSI_CALL_HANGUP] = {ssi_call_out_hangup, "send CANCEL", "9.1"},
        },
    [SSI_CALL_CANCELLED] =
        {
            [SSI_CALL_FLOW_LOST] = {ssi_call_out_flow_lost, "end", "17.1.4"},
            [SSI_CALL_SUCCESS] = {ssi_call_out_late_success, "send ACK, send BYE",
                                  "9.1: the 2xx was faster"},
            [SSI_CALL_REFUSAL] = {ssi_call_out_no_answer, "end", "9.1: 487, as a rule"},
            [SSI_CALL_NO_ANSWER] = {ssi_call_out_no_answer, "end", "17.1.1.2"},
        },
    [SSI_CALL_OFFERED] =
        {
            [SSI_CALL_FLOW_LOST] = {ssi_call_any_flow_lost, "end", "17.1.4"},
            [SSI_CALL_RING] = {ssi_call_in_ring, "send 180", "13.3.1.1"},
            [SSI_CALL_ANSWER] = {ssi_call_in_answer, "send 200, start media", "13.3.1.4"},
            [SSI_CALL_HANGUP] = {ssi_call_in_hangup, "send 603, end", "13.3.1.3"},
            [SSI_CALL_CANCEL] = {ssi_call_in_cancel, "send 487, end", "9.2"},
            [SSI_CALL_BYE] = {ssi_call_in_bye, "send 200, end", "15.1.2"},
            [SSI_CALL_UPDATE] = {ssi_call_in_update, "send 200, or 500 to an offer",
                                 "RFC 3311 5.2"},
        },
    [SSI_CALL_ACCEPTED] =
        {
            [SSI_CALL_FLOW_LOST] = {ssi_call_any_flow_lost, "end", "17.1.4"},
            [SSI_CALL_HANGUP] = {ssi_call_in_hangup_early, "end the media, send BYE after the ACK",
                                 "15"},
            [SSI_CALL_ACK] = {ssi_call_in_ack, "stop sending 200, tell", "13.3.1.4"},
            [SSI_CALL_NO_ACK] = {ssi_call_in_no_ack, "send BYE", "13.3.1.4"},
            [SSI_CALL_REINVITE] = {ssi_call_in_busy, "send 491", "14.2"},
            [SSI_CALL_BYE] = {ssi_call_in_bye, "send 200, end", "15.1.2"},
            [SSI_CALL_UPDATE] = {ssi_call_in_update, "send 200, or 491 or 500 to an offer",
                                 "RFC 3311 5.2"},
        },
    [SSI_CALL_TALKING] =
        {
            [SSI_CALL_FLOW_OPEN] = {ssi_call_move_open, "send OPTIONS: is the peer still there?",
                                    "12.2.1.2"},
            [SSI_CALL_FLOW_LOST] = {ssi_call_move_lost,
                                    "go on, connect again; end after 180 s, or where the peer had "
                                    "opened the connection",
                                    "17.1.4"},
            [SSI_CALL_GONE] = {ssi_call_move_gone, "end", "12.2.1.2"},
            [SSI_CALL_SUCCESS] = {ssi_call_out_ack_again, "send ACK again; end another branch",
                                  "13.2.2.4"},
            [SSI_CALL_HANGUP] = {ssi_call_any_hangup, "send BYE", "15.1.1"},
            [SSI_CALL_ACK] = {ssi_call_in_ack, "stop sending 200, tell", "13.3.1.4"},
            [SSI_CALL_NO_ACK] = {ssi_call_in_no_ack, "send BYE", "13.3.1.4"},
            [SSI_CALL_REINVITE] = {ssi_call_in_reinvite, "send 200 with an answer, or 488", "14.2"},
            [SSI_CALL_BYE] = {ssi_call_in_bye, "send 200, end", "15.1.2"},
            [SSI_CALL_MODIFY] = {ssi_call_mod_start, "send INVITE with a new offer", "14.1"},
            [SSI_CALL_MODIFIED] = {ssi_call_mod_done, "send ACK, use the answer, or send BYE",
                                   "14.1"},
            [SSI_CALL_UNMODIFIED] =
                {ssi_call_mod_failed, "go on as before, try again after 491, or send BYE",
                 "14.1, 12.2.1.2; RFC 6141"},
            [SSI_CALL_UPDATE] = {ssi_call_in_update, "send 200 with an answer, or refuse it",
                                 "RFC 3311 5.2"},
        },
    [SSI_CALL_LEAVING] =
        {
            [SSI_CALL_FLOW_LOST] = {ssi_call_leave_lost,
                                    "connect and send BYE again, twice at most; then end",
                                    "17.1.4"},
            [SSI_CALL_SUCCESS] = {ssi_call_out_ack_again, "send ACK again; end another branch",
                                  "13.2.2.4"},
            [SSI_CALL_BYE] = {ssi_call_in_bye, "send 200, end", "15.1.2"},
            [SSI_CALL_BYE_DONE] = {ssi_call_any_bye_done, "end", "15.1.1"},
            [SSI_CALL_MODIFIED] = {ssi_call_mod_late, "send ACK", "14.1"},
        },
};

const struct ssi_call_cell *ssi_call_cell(enum ssi_call_phase phase, enum ssi_call_input input)
{
    return &table[phase][input];
}

void ssi_call_step(secsip_call *c, enum ssi_call_input input, struct ssi_sip_msg *m,
                   struct ssi_txn *t)
{
    ssi_call_handler *handler = table[c->phase][input].handler;

    if (c->ua->call_tap)
        c->ua->call_tap((int)c->phase, (int)input);
    if (!handler) {
        if (t && (input == SSI_CALL_BYE || input == SSI_CALL_REINVITE || input == SSI_CALL_UPDATE))
            ssi_ua_refuse(c->ua, t, 481);
        return;
    }
    ssi_call_ref(c);
    handler(c, m, t);
    ssi_call_unref(c);
}
